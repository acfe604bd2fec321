import type { Command } from 'commander';
import { forEachReference, maintenanceCommand, withMaintenance } from './maintenance-command.ts';
import type { MaintenanceOptions } from './maintenance-command.ts';

/** `larder pin`: what is never evicted. */
export function pinCommand(): Command {
  return maintenanceCommand('pin')
    .description(
      'keep from being evicted: a tag with whatever it stands for, a digest, all tags of a repository',
    )
    .argument('<reference...>', 'such as debian:12, ghcr.io/acme/app, sha256:...')
    .action(async (references: readonly string[], options: MaintenanceOptions) => {
      await withMaintenance(options, async ({ maintenance, isJson }) => {
        const pin = async (name: string): Promise<Pins> => ({ pins: await maintenance.pin(name) });
        await forEachReference(references, isJson, pin, (_, { pins }) => describe('pinned', pins));
      });
    });
}

/** `larder unpin`. */
export function unpinCommand(): Command {
  return maintenanceCommand('unpin')
    .description('let be evicted again what was pinned')
    .argument('<reference...>', 'as it was given to pin')
    .action(async (references: readonly string[], options: MaintenanceOptions) => {
      await withMaintenance(options, async ({ maintenance, isJson }) => {
        const unpin = async (name: string): Promise<Pins> => ({ pins: await maintenance.unpin(name) });
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
