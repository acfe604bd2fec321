import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { readDockerfile } from './read-dockerfile.ts';

/** Each image as `line: text`, with its platforms behind it; what is unresolved as `line: text: reason`. */
function read(lines: readonly string[] | string, buildArgs: ReadonlyArray<readonly [string, string]> = []) {
  const text = typeof lines === 'string' ? lines : lines.join('\n');
  const found = readDockerfile('Dockerfile', text, { buildArgs: new Map(buildArgs) });
  return {
    images: found.images.map(({ text: image, place, platforms }) =>
      [`${place.line}: ${image}`, ...(platforms ?? [])].join(' '),
    ),
    unresolved: found.unresolved.map(
      ({ text: image, place, reason }) => `${place.line}: ${image}: ${reason}`,
    ),
  };
}

describe('FROM', () => {
  it.each<[string, string[], string[]]>([
    ['names an image', ['FROM debian:12'], ['1: debian:12']],
    ['in any case', ['from debian:12 as Base'], ['1: debian:12']],
    ['with a digest', [`FROM debian:12@${digestOf('a')}`], [`1: debian:12@${digestOf('a')}`]],
    ['after comments and blank lines', ['# one', '', '  # two', ' FROM debian:12'], ['4: debian:12']],
    ['of several stages', ['FROM a AS one', 'FROM b AS two', 'FROM c'], ['1: a', '2: b', '3: c']],
    ['of an earlier stage is no image', ['FROM a AS one', 'FROM one AS two', 'FROM TWO'], ['1: a']],
    ['a number is an image', ['FROM a', 'FROM 0'], ['1: a', '2: 0']],
    ['a stage may have the name of its image', ['FROM alpine AS alpine', 'FROM alpine'], ['1: alpine']],
    ['a later stage is an image', ['FROM two', 'FROM a AS two'], ['1: two', '2: a']],
    ['scratch is no image', ['FROM scratch', 'COPY a /'], []],
    ['with a platform', ['FROM --platform=linux/arm64 a'], ['1: a linux/arm64']],
    ['with that of the build', ['FROM --platform=$BUILDPLATFORM a AS b'], ['1: a']],
    ['with one by an ARG', ['ARG P=linux/arm/v7', 'FROM --platform=${P} a'], ['2: a linux/arm/v7']],
    ['by lines that end with CR LF', ['FROM a\r', 'RUN x \\\r', '  FROM no\r', 'FROM b'], ['1: a', '4: b']],
    ['behind a byte order mark', ['\uFEFFFROM a'], ['1: a']],
  ])('%s', (_, lines, images) => {
    expect(read(lines)).toEqual({ images, unresolved: [] });
  });
});

describe('an ARG before the first FROM', () => {
  it.each<[string, string[], string[]]>([
    ['gives its default', ['ARG V=3.20', 'FROM alpine:$V'], ['2: alpine:3.20']],
    ['may use earlier ones', ['ARG V=3', 'ARG I=alpine:${V}', 'FROM ${I}'], ['3: alpine:3']],
    ['is used in quotes', ['ARG I="alpine:3"', 'FROM "${I}"'], ['2: alpine:3']],
    ['one of several on a line', ['ARG A=alpine V=3 W=$V', 'FROM $A:$W'], ['2: alpine:3']],
    ['counts by its last value', ['ARG V=1', 'ARG V=2', 'FROM a:$V'], ['3: a:2']],
    ['without a default, used with one', ['ARG V', 'FROM a:${V:-3}'], ['2: a:3']],
    ['nested', ['ARG V', 'ARG W', 'FROM ${V:-a:${W:-1}}'], ['3: a:1']],
    ['that a build is given', ['ARG GIVEN', 'ARG V=1', 'FROM a:$GIVEN-$V'], ['3: a:9-1']],
    ['a default that a build replaces', ['ARG GIVEN=1', 'FROM a:$GIVEN'], ['2: a:9']],
    ['names a stage', ['ARG S=one', 'FROM a AS one', 'FROM $S'], ['2: a']],
    ['of a platform with a default', ['ARG TARGETARCH=amd64', 'FROM a:$TARGETARCH'], ['2: a:amd64']],
  ])('%s', (_, lines, images) => {
    expect(read(lines, [['GIVEN', '9']])).toEqual({ images, unresolved: [] });
  });

  it.each<[string, string[], string]>([
    ['without a default', ['ARG V', 'FROM alpine:$V'], '2: alpine:$V: ARG V has no default'],
    ['that is not there', ['FROM alpine:$V'], '1: alpine:$V: no ARG before the first FROM declares V'],
    [
      'that stands in a stage',
      ['FROM scratch', 'ARG V=1', 'FROM a:$V'],
      '3: a:$V: no ARG before the first FROM declares V',
    ],
    [
      'that an ENV is',
      ['FROM scratch', 'ENV V=1', 'FROM a:$V'],
      '3: a:$V: no ARG before the first FROM declares V',
    ],
    ['whose default needs one', ['ARG A', 'ARG B=x$A', 'FROM $B'], '3: $B: ARG A has no default'],
    ['of a platform', ['FROM a:$TARGETARCH'], '1: a:$TARGETARCH: TARGETARCH is another for each platform'],
    [
      'of a platform, declared',
      ['ARG TARGETARCH', 'FROM a:${TARGETARCH:-amd64}'],
      '2: a:${TARGETARCH:-amd64}: TARGETARCH is another for each platform',
    ],
    ['that makes no reference', ['ARG V="1 2"', 'FROM a:$V'], '2: a:1 2: "1 2" is not a tag'],
  ])('%s is named, not guessed', (_, lines, unresolved) => {
    expect(read(lines)).toEqual({ images: [], unresolved: [expect.stringContaining(unresolved)] });
  });
});

describe('COPY and RUN', () => {
  it.each<[string, string[], string[]]>([
    ['copy from an image', ['FROM a', 'COPY --from=nginx:1 /x /y'], ['1: a', '2: nginx:1']],
    ['with other flags', ['FROM a', 'copy --link --chown=1:1 --from="b:1" x y'], ['1: a', '2: b:1']],
    ['from a stage by name', ['FROM a AS One', 'FROM b', 'COPY --from=one x y'], ['1: a', '2: b']],
    ['from a stage by number', ['FROM a', 'FROM b', 'COPY --from=0 x y'], ['1: a', '2: b']],
    ['from a later stage', ['FROM a', 'COPY --from=two x y', 'FROM b AS two'], ['1: a', '3: b']],
    ['not by a word that is no flag', ['FROM a', 'COPY x --from=b:1 y'], ['1: a']],
    ['not from nothing', ['FROM a', 'COPY --from= x y'], ['1: a']],
    ['mount from an image', ['FROM a', 'RUN --mount=type=bind,from=b:1,target=/x y'], ['1: a', '2: b:1']],
    [
      'several',
      ['FROM a AS s', 'RUN --mount=from=b:1,target=/x --network=none --mount=type=cache,target=/c,from=s y'],
      ['1: a', '2: b:1'],
    ],
    ['not by the command', ['FROM a', 'RUN x --mount=from=b:1'], ['1: a']],
    [
      'behind ONBUILD',
      ['FROM a', 'ONBUILD COPY --from=b:1 x y', 'ONBUILD RUN --mount=from=c:1 x'],
      ['1: a', '2: b:1', '3: c:1'],
    ],
    [
      'over several lines',
      ['FROM a', 'RUN --mount=type=bind,\\', '# a comment', '', 'from=b:1 \\', '--mount=from=c:1 x'],
      ['1: a', '5: b:1', '6: c:1'],
    ],
  ])('%s', (_, lines, images) => {
    expect(read(lines)).toEqual({ images, unresolved: [] });
  });

  it('do not replace variables', () => {
    expect(read(['ARG V=1', 'FROM a', 'COPY --from=b:$V x y']).unresolved).toEqual([
      '3: b:$V: a build replaces no variables in "from="',
    ]);
  });
});

describe('lines', () => {
  it.each<[string, string[], string[]]>([
    ['that go on', ['FROM \\', '  a \\  ', '  AS one', 'FROM one'], ['2: a']],
    ['that go on to the end of the file', ['FROM a', 'RUN x \\'], ['1: a']],
    ['with an escaped escape at their end', ['FROM a', 'RUN x \\\\', 'FROM b'], ['1: a', '3: b']],
    [
      'with another escape',
      ['# escape=`', 'FROM a', 'RUN x `', 'FROM no', 'RUN y \\', 'FROM b'],
      ['2: a', '6: b'],
    ],
    [
      'an escape that comes late',
      ['# a comment', '# escape=`', 'FROM a', 'RUN x `', 'FROM b'],
      ['3: a', '5: b'],
    ],
    [
      'the syntax',
      ['# syntax=docker/dockerfile:1 x=y', '# escape=`', 'FROM a'],
      ['1: docker/dockerfile:1', '3: a'],
    ],
    [
      'the syntax behind a first line for a shell',
      ['#!/usr/bin/env x', '#Syntax = b:1', 'FROM a'],
      ['2: b:1', '3: a'],
    ],
    ['a syntax that comes late', ['# a comment', '# syntax=b:1', 'FROM a'], ['3: a']],
  ])('%s', (_, lines, images) => {
    expect(read(lines)).toEqual({ images, unresolved: [] });
  });
});

describe('a heredoc', () => {
  it.each<[string, string[]]>([
    ['of RUN', ['RUN <<EOF', 'FROM no', 'EOF']],
    ['with an interpreter', ['RUN python3 - <<EOF > /x', 'FROM no \\', 'EOF']],
    ['in quotes', ['RUN <<"EOF" cat', 'FROM no', 'EOF']],
    ['for another descriptor', ['RUN 3<<EOF cat', 'FROM no', 'EOF']],
    ['with tabs', ['RUN <<-EOF', '\tFROM no', '\tEOF']],
    ['twice', ['COPY <<A <<B /x', 'FROM no', 'A', 'FROM no', 'B']],
    ['on a line that goes on', ['RUN cat <<EOF && \\', '  x', 'FROM no', 'EOF']],
    ['behind ONBUILD', ['ONBUILD RUN <<EOF', 'FROM no', 'EOF']],
    ['that is none: a shift', ['RUN x=$((1<<2)) y=$((1 << 2))']],
    ['that is none: a string for a command', ['RUN cat <<< EOF']],
    ['that is none: in quotes itself', ['RUN echo "<<EOF"']],
    ['that is none: in an array', ['RUN ["<<EOF"]']],
    ['that is none: of another instruction', ['CMD <<EOF']],
  ])('%s', (_, lines) => {
    const whole = ['FROM a', ...lines, 'FROM b'];
    expect(read(whole)).toEqual({ images: ['1: a', `${whole.length}: b`], unresolved: [] });
  });

  it('without an end is named', () => {
    expect(read(['FROM a', 'RUN <<EOF', 'FROM b'])).toEqual({
      images: ['1: a'],
      unresolved: ['2: <<EOF: the end of this heredoc is missing'],
    });
  });
});

describe('any text', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'FROM a',
      'FROM $A',
      'ARG A=1',
      'RUN <<E',
      'E',
      'COPY --from=x a b',
      '# escape=`',
      'ONBUILD',
    ),
    fc.stringMatching(/^[\w #\\`"'$<>={}-]{0,20}$/),
  );

  it('is read without an error, and each finding stands on one of its lines', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const { images, unresolved } = readDockerfile('f', lines.join('\n'));
        const numbers = [...images, ...unresolved].map(({ place }) => place.line);
        expect(numbers.filter((number) => number < 1 || number > lines.length)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
