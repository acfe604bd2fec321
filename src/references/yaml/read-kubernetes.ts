import { Findings, type References } from '../found.ts';
import { readYaml, type YamlNode } from './yaml-node.ts';

/** The lists of a pod's containers (Kubernetes API, PodSpec). */
const CONTAINERS: ReadonlySet<string> = new Set(['containers', 'initContainers', 'ephemeralContainers']);

/**
 * Finds the images of all pods and pod templates in manifests, at whatever depth they stand: in a Pod, a Deployment, a
 * CronJob, a List, or a resource of any other kind that holds such a template. Volumes of images count too.
 */
export function readKubernetes(file: string, text: string): References {
  const { documents, problems } = readYaml(text);
  const findings = new Findings(file);
  for (const document of documents) readDocument(document, findings);
  for (const { line, message } of problems) findings.miss('', line, message);
  return findings;
}

/** Visits each node once, and without recursion: aliases may multiply, and lists may be nested deeply. */
function readDocument(document: YamlNode, findings: Findings): void {
  const visited = new Set<object>();
  const open = [document];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.identity === undefined || visited.has(node.identity)) continue;
    visited.add(node.identity);
    for (const [key, value] of node.entries) readEntry(key, value, findings);
    // The last that is added is read first.
    const children = [...node.items, ...node.entries.map(([, value]) => value)];
    open.push(...children.toReversed());
  }
}

function readEntry(key: string, value: YamlNode, findings: Findings): void {
  if (CONTAINERS.has(key)) {
    for (const container of value.items) addImage(container.get('image'), findings);
  }
  if (key === 'volumes') {
    for (const volume of value.items) addImage(volume.get('image')?.get('reference'), findings);
  }
}

function addImage(image: YamlNode | undefined, findings: Findings): void {
  if (image === undefined) return;
  if (image.text === undefined) findings.miss('', image.line, 'expected the name of an image');
  else findings.add(image.text, image.line);
}
