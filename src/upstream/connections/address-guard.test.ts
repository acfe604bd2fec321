import { describe, expect, test } from 'vitest';
import { FakeNetwork } from '../../../test/support/fake-network.ts';
import { AddressGuard, ForbiddenAddressError, type Destination } from './address-guard.ts';

const REGISTRY = 'registry.example.com';
const STORE = 'store.example.com';

const at = (host: string, port = ''): Destination => ({ protocol: 'https:', hostname: host, port });

function start(upstream: string, allowPrivate = false): { guard: AddressGuard; network: FakeNetwork } {
  const network = new FakeNetwork();
  return { guard: new AddressGuard({ upstream: new URL(upstream), allowPrivate, network }), network };
}

describe('how far inside the upstream is', () => {
  test('is not told by its name alone', async () => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(REGISTRY, '10.0.0.5').name(STORE, '10.0.0.6');
    await expect(guard.admit(at(STORE))).rejects.toThrow(ForbiddenAddressError);
    expect(await guard.admit(at(REGISTRY))).toEqual(['10.0.0.5']);
    await expect(guard.admit(at(STORE))).rejects.toThrow(ForbiddenAddressError);
  });

  test('is told by a connection to it', async () => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(STORE, '10.0.0.6');
    guard.connected(at(REGISTRY, '443'), ['10.0.0.5']);
    expect(await guard.admit(at(STORE))).toEqual(['10.0.0.6']);
    network.name(STORE, '127.0.0.1');
    await expect(guard.admit(at(STORE))).rejects.toThrow(ForbiddenAddressError);
  });

  test('is not told by a connection elsewhere', async () => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(STORE, '10.0.0.6');
    guard.connected(at(STORE), ['10.0.0.6']);
    guard.connected(at(REGISTRY, '8443'), ['10.0.0.6']);
    await expect(guard.admit(at(STORE))).rejects.toThrow(ForbiddenAddressError);
  });

  test.each([
    ['a public address beside', [['8.8.8.8', '10.0.0.5']]],
    ['a public address before', [['8.8.8.8'], ['10.0.0.5']]],
    ['a public address since', [['10.0.0.5'], ['8.8.8.8']]],
  ])('%s: outside', async (_name, connections) => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(STORE, '10.0.0.6');
    for (const addresses of connections) guard.connected(at(REGISTRY), addresses);
    await expect(guard.admit(at(STORE))).rejects.toThrow(ForbiddenAddressError);
  });

  test('is told by a literal address in the configuration', async () => {
    const { guard, network } = start('https://10.0.0.5:5000');
    network.name(STORE, '192.168.0.1');
    expect(await guard.admit(at(STORE))).toEqual(['192.168.0.1']);
    guard.admitLiteral(at('10.0.0.5', '9000'));
    expect(() => guard.admitLiteral(at('127.0.0.1', '5000'))).toThrow(ForbiddenAddressError);
  });

  test('allowPrivateNetworks opens private addresses, but not cloud metadata', async () => {
    const { guard, network } = start(`https://${REGISTRY}`, true);
    network.name(STORE, '127.0.0.1');
    expect(await guard.admit(at(STORE))).toEqual(['127.0.0.1']);
    expect(() => guard.admitLiteral(at('169.254.169.254'))).toThrow(ForbiddenAddressError);
  });
});

describe('the upstream itself', () => {
  test.each([[''], ['443']])('is its configured port (%j), wherever that is', async (port) => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(REGISTRY, '127.0.0.1');
    expect(await guard.admit(at(REGISTRY, port))).toEqual(['127.0.0.1']);
  });

  test('does not include another port of its host', async () => {
    const { guard, network } = start(`https://${REGISTRY}`);
    guard.connected(at(REGISTRY), ['8.8.8.8']);
    network.name(REGISTRY, '127.0.0.1');
    await expect(guard.admit(at(REGISTRY, '6379'))).rejects.toThrow(ForbiddenAddressError);
    await expect(guard.admit({ ...at(REGISTRY), protocol: 'http:' })).rejects.toThrow(ForbiddenAddressError);
  });

  test('may lead to another port of its host that is no nearer', async () => {
    const { guard, network } = start(`https://${REGISTRY}`);
    network.name(REGISTRY, '10.0.0.5');
    guard.connected(at(REGISTRY), ['10.0.0.5']);
    expect(await guard.admit(at(REGISTRY, '9000'))).toEqual(['10.0.0.5']);
  });

  test('a literal of cloud metadata is reached at its port alone', () => {
    const { guard } = start('http://169.254.169.254');
    guard.admitLiteral({ ...at('169.254.169.254'), protocol: 'http:' });
    expect(() => guard.admitLiteral(at('169.254.169.254', '81'))).toThrow(ForbiddenAddressError);
  });

  test('an IPv6 literal is the same with its brackets and without', async () => {
    const { guard } = start('https://[::1]:5000');
    expect(await guard.admit(at('::1', '5000'))).toEqual(['::1']);
    expect(await guard.admit(at('[::1]', '5000'))).toEqual(['::1']);
  });
});
