import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { tarOf } from './image.ts';
import { run } from './process.ts';
import { pusher } from './push.ts';

/** Says that it runs, and waits until it is told to end: enough for a pod's sandbox and for its container. */
const PROGRAM = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	fmt.Println("it runs")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
`;

/**
 * Builds a program without libraries as an image, and pushes it to an open registry.
 * @param directory for what is built
 */
export async function pushPodImages(
  registryUrl: string,
  directory: string,
  repositories: readonly string[],
): Promise<void> {
  const tar = await programTar(directory);
  for (const repository of repositories) await pushImage(registryUrl, repository, tar);
}

async function programTar(directory: string): Promise<Buffer> {
  const tree = join(directory, 'tree');
  await mkdir(tree, { recursive: true });
  const source = join(directory, 'program.go');
  await writeFile(source, PROGRAM);
  const env = { CGO_ENABLED: '0', GO111MODULE: 'off', GOTOOLCHAIN: 'local' };
  await run('go', ['build', '-ldflags=-s -w', '-o', join(tree, 'program'), source], { env });
  await tarOf(tree, join(directory, 'layer.tar'));
  return readFile(join(directory, 'layer.tar'));
}

async function pushImage(registryUrl: string, repository: string, tar: Buffer): Promise<void> {
  const push = pusher(registryUrl, repository);
  const layer = await push.blob(gzipSync(tar, { level: 1 }), 'application/vnd.oci.image.layer.v1.tar+gzip');
  const config = await push.blob(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Entrypoint: ['/program'] },
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      }),
    ),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] };
  await push.manifest(JSON.stringify(manifest), MediaType.ociManifest, '1');
}
