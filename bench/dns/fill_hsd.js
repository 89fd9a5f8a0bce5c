'use strict';

// node fill_hsd.js PACKAGE PREFIX NAMES
//
// Makes a regtest chain under PREFIX in which every name of the file NAMES (one a line) is registered, with the library
// of the hsd that lies in PACKAGE. Auctions of so many names would take hours; so what a closed auction and an UPDATE
// leave of a name in the tree is put there, and hsd's own miner makes the blocks that commit to it.

const fs = require('fs');
const path = require('path');

const [hsd, prefix, list] = process.argv.slice(2);
const part = name => require(path.join(hsd, 'lib', name));
const FullNode = part('node/fullnode');
const NameState = part('covenants/namestate');
const Outpoint = part('primitives/outpoint');
const rules = part('covenants/rules');
const {Resource} = part('dns/resource');

const OPENED = 1;
const CLOSED = 29; // an auction of regtest that opens at 1 is over at 22
const COMMITTED = 35; // the tree is committed to at every fifth block

function stateOf(name, index) {
  const state = new NameState();
  const address = `eeee::${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}`;
  state.name = Buffer.from(name, 'ascii');
  state.nameHash = rules.hashName(name);
  state.height = OPENED;
  state.renewal = CLOSED;
  state.owner = new Outpoint(state.nameHash, 0);
  state.value = state.highest = 1000;
  state.registered = true;
  state.data = Resource.fromJSON({records: [{type: 'GLUE6', ns: `ns.${name}.`, address}]}).encode();
  return state;
}

async function mineTo(node, height) {
  while (node.chain.height < height)
    await node.chain.add(await node.miner.mineBlock(node.chain.tip));
}

async function fill(node) {
  await mineTo(node, CLOSED);
  const names = fs.readFileSync(list, 'ascii').split('\n').filter(Boolean);
  for (const [index, name] of names.entries()) {
    const state = stateOf(name, index);
    await node.chain.db.txn.insert(state.nameHash, state.encode());
  }
  await mineTo(node, COMMITTED);
}

(async () => {
  const node = new FullNode({network: 'regtest', prefix, memory: false, workers: false, noDns: true});
  const parts = [node.blocks, node.chain, node.miner];
  await node.ensure();
  for (const each of parts)
    await each.open();
  await fill(node);
  for (const each of parts.reverse())
    await each.close();
})().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
