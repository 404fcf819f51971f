import { expect, test } from 'vitest';
import { reachOf } from '../../../src/platform/outbound/reach-of.ts';

test.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::6810:85e5', 'public'],
  ['64:ff9b::808:808', 'public'],
  ['10.0.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['127.0.0.1', 'private'],
  ['::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:7f00:1', 'private'],
])('%s is %s', (address, reach) => {
  expect(reachOf(address)).toBe(reach);
});

test.each([
  ['the metadata service of most clouds', '169.254.169.254'],
  ['the same over IPv4-mapped IPv6', '::ffff:169.254.169.254'],
  ['that of Amazon over IPv6', 'fd00:ec2::254'],
  ['that of Alibaba', '100.100.100.200'],
  ['that of Azure', '168.63.129.16'],
  ['that of Oracle', '192.0.0.192'],
  ['an unspecified address', '0.0.0.0'],
  ['another of that block', '0.1.2.3'],
  ['the unspecified address of IPv6', '::'],
  ['a broadcast', '255.255.255.255'],
  ['multicast', '224.0.0.1'],
  ['multicast of IPv6', 'ff02::1'],
  ['a link-local address of IPv6', 'fe80::1'],
  ['one with a zone', 'fe80::1%eth0'],
  ['a site-local address of old', 'fec0::1'],
  ['loopback behind NAT64', '64:ff9b::7f00:1'],
  ['a private network behind NAT64', '64:ff9b::a00:1'],
  ['NAT64 with a prefix of a network', '64:ff9b:1::808:808'],
  ['loopback through 6to4', '2002:7f00:1::'],
  ['Teredo', '2001:0:53aa::1'],
  ['an IPv4-compatible address', '::7f00:1'],
  ['SIIT', '::ffff:0:7f00:1'],
  ['a reserved block', '240.0.0.1'],
  ['documentation', '203.0.113.7'],
  ['documentation of IPv6', '2001:db8::1'],
  ['benchmarking', '198.18.0.1'],
  ['no address', 'localhost'],
  ['nothing', ''],
])('%s is never reached (%s)', (_, address) => {
  expect(reachOf(address)).toBe('never');
});
