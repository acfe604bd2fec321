import { Findings, type References } from '../found.ts';
import { readYaml, type YamlNode } from './yaml-node.ts';

/**
 * Reads a list of images in YAML: a list, or a map with the list under `images`. An item is a reference, or a map with
 * the reference under `ref` and the wanted `platforms`, a list such as `[linux/amd64, linux/arm64]`.
 */
export function readImageList(file: string, text: string): References {
  const { documents, problems } = readYaml(text);
  const findings = new Findings(file);
  for (const document of documents) {
    const list = document.isList ? document : document.get('images');
    if (list?.isList === true) for (const item of list.items) readItem(item, findings);
    else if (document.identity !== undefined) {
      findings.miss('', document.line, 'expected a list of images, or a map with one under "images"');
    }
  }
  for (const { line, message } of problems) findings.miss('', line, message);
  return findings;
}

function readItem(item: YamlNode, findings: Findings): void {
  const reference = item.text === undefined ? item.get('ref') : item;
  const platforms = item.get('platforms')?.items.map(({ text }) => text ?? '') ?? [];
  if (reference?.text === undefined)
    findings.miss('', item.line, 'expected a reference, or a map with "ref"');
  else findings.add(reference.text, reference.line, platforms);
}
