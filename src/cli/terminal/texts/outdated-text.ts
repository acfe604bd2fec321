import type { OutdatedAnswer, OutdatedImage } from '../../../asking/outdated/outdated-answer.ts';
import { escapeControls } from '../../../text/controls.ts';

/** Tells of each image that is not current, with its reasons and places; at the end, how many there are of each state. */
export function outdatedText(images: readonly OutdatedImage[]): string {
  const told = images.filter(({ state }) => state !== 'current').map(describe);
  return [...told, summary(images)].join('\n');
}

function describe({ image, state, reasons, places }: OutdatedImage): string {
  const where = places.map(({ file, line }) => `\n  ${escapeControls(`${file}:${line}`)}`).join('');
  const name = image === '' ? '' : ` ${escapeControls(image)}`;
  return `${state}${name}: ${escapeControls(reasons.join(', '))}${where}`;
}

function summary(images: readonly OutdatedImage[]): string {
  const number = (wanted: OutdatedImage['state']): number =>
    images.filter(({ state }) => state === wanted).length;
  return `${number('outdated')} outdated, ${number('unknown')} unknown, ${number('current')} current`;
}

/** Tells what was left out of a file. */
export function noteText({ file, line, message }: OutdatedAnswer['notes'][number]): string {
  return escapeControls(`${file}:${line}: ${message}`);
}
