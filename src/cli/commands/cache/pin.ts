import type { Command } from 'commander';
import { forEachReference, operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions } from './operator-command.ts';

/** `larder pin`: keeps content from eviction. */
export function pinCommand(): Command {
  return operatorCommand('pin')
    .description(
      'keep from being evicted: a tag with whatever it stands for, a digest, all tags of a repository',
    )
    .argument('<reference...>', 'such as debian:12, ghcr.io/acme/app, sha256:...')
    .addHelpText('after', '\nExamples:\n  larder pin debian:12 ghcr.io/acme/app\n')
    .action(async (references: readonly string[], options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson }) => {
        const pin = (reference: string): Promise<Pins> => client.call('pin', { body: { reference } });
        await forEachReference(references, isJson, pin, (_, { pins }) => describe('pinned', pins));
      });
    });
}

/** `larder unpin`. */
export function unpinCommand(): Command {
  return operatorCommand('unpin')
    .description('let be evicted again what was pinned')
    .argument('<reference...>', 'as it was given to pin')
    .addHelpText('after', '\nExamples:\n  larder unpin debian:12\n')
    .action(async (references: readonly string[], options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson }) => {
        const unpin = (reference: string): Promise<Pins> => client.call('unpin', { body: { reference } });
        await forEachReference(references, isJson, unpin, (_, { pins }) => describe('unpinned', pins));
      });
    });
}

interface Pins {
  readonly pins: readonly string[];
}

function describe(verb: string, pins: readonly string[]): string {
  return pins.map((name) => `${verb} ${name}`).join('\n');
}
