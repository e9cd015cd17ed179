// What a disk could hold after its power was cut: reads the journal of power.c up to a point, takes what
// was synced, and of the rest any part that a generator picks.
import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const HEAD = 32;
const SECTOR = 512;

// Entries in order; `end` is how long the journal was when the operation was over.
export function readJournal(file) {
  const bytes = readFileSync(file);
  const ops = [];
  for (let at = 0; at + HEAD <= bytes.length;) {
    const [name, other, data] = [4, 8, 12].map((n) => bytes.readUInt32LE(at + n));
    const from = at + HEAD;
    const end = from + name + other + data;
    ops.push({
      op: String.fromCharCode(bytes[at]),
      ino: bytes.readBigUInt64LE(at + 16),
      at: Number(bytes.readBigUInt64LE(at + 24)),
      name: bytes.toString('utf8', from, from + name),
      other: bytes.toString('utf8', from + name, from + name + other),
      data: bytes.subarray(from + name + other, end),
      end,
    });
    at = end;
  }
  return ops;
}

class File {
  constructor(mode) {
    this.mode = mode;
    this.bytes = Buffer.alloc(0); // as it was last synced: the first `size` of them
    this.size = 0;
    this.pending = []; // since then
  }

  grow(size) {
    if (size > this.bytes.length) {
      const room = Buffer.alloc(Math.max(size, 2 * this.bytes.length));
      this.bytes.copy(room, 0, 0, this.size);
      this.bytes = room;
    }
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }

  apply(change) {
    if (change.data) {
      this.grow(Math.max(this.size, change.at + change.data.length));
      change.data.copy(this.bytes, change.at);
    } else {
      this.grow(change.size);
    }
  }

  sync() {
    for (const change of this.pending) this.apply(change);
    this.pending = [];
  }

  // A write that was under way: some of its sectors, whichever.
  static tear(change, random) {
    const parts = [];
    for (let from = 0; from < change.data.length;) {
      const to = Math.min(change.data.length, from + SECTOR - ((change.at + from) % SECTOR));
      if (random() < 0.5) parts.push({ at: change.at + from, data: change.data.subarray(from, to) });
      from = to;
    }
    return parts;
  }

  // As a new file, with nothing pending.
  cut(keep, random) {
    const left = new File(this.mode);
    left.bytes = Buffer.from(this.bytes.subarray(0, this.size));
    left.size = this.size;
    this.pending.forEach((change, i) => {
      const how = keep(i, this.pending.length);
      if (how === 'torn' && change.data) for (const part of File.tear(change, random)) left.apply(part);
      else if (how) left.apply(change);
    });
    return left.bytes.subarray(0, left.size);
  }
}

class Folder {
  constructor(mode) {
    this.mode = mode;
    this.now = new Map(); // as programs see it
    this.names = new Map(); // as it was last synced
  }
}

// What is not synced of files and of names. `keep` says of each change whether it reached the disk:
// nothing, all, what was first and the next one torn, or any.
const WAYS = {
  none: () => () => false,
  all: () => () => true,
  first: (random) => (i, n) => {
    const at = Math.floor(random() * (n + 1));
    return i < at || (i === at && 'torn');
  },
  any: (random) => () => [false, true, 'torn'][Math.floor(random() * 3)],
};
const ways = Object.keys(WAYS);

export class Disk {
  constructor() {
    this.root = new Folder(0o700);
    this.files = new Map(); // by number
    this.pending = []; // changes of names since their folder was synced
  }

  find(name) {
    let here = this.root;
    for (const part of name.split('/').filter(Boolean)) here = here?.now?.get(part);
    return here;
  }

  place(name) {
    const folder = this.find(path.dirname(name) === '.' ? '' : path.dirname(name));
    if (!(folder instanceof Folder)) throw new Error(`the journal names ${name}, whose folder is not there`);
    return [folder, path.basename(name)];
  }

  set(name, node) {
    const [folder, base] = this.place(name);
    if (node) folder.now.set(base, node);
    else folder.now.delete(base);
    return { folder, base, node };
  }

  names(...changes) {
    this.pending.push(changes);
  }

  step(e) {
    const file = this.files.get(e.ino);
    switch (e.op) {
      case 'C': {
        const fresh = new File(e.at);
        this.files.set(e.ino, fresh);
        this.names(this.set(e.name, fresh));
        break;
      }
      case 'D': this.names(this.set(e.name, new Folder(e.at))); break;
      case 'W': file.pending.push({ at: e.at, data: e.data }); break;
      case 'T': file.pending.push({ size: e.at }); break;
      case 'S': file?.sync(); break;
      case 'R': {
        const node = this.find(e.name);
        this.names(this.set(e.name, null), this.set(e.other, node));
        break;
      }
      case 'L': this.names(this.set(e.other, this.find(e.name))); break;
      case 'U': this.names(this.set(e.name, null)); break;
      case 'Y': this.syncFolder(this.find(e.name)); break;
      default: throw new Error(`the journal holds ${JSON.stringify(e)}`);
    }
  }

  syncFolder(folder) {
    if (!folder) return;
    const rest = [];
    for (const changes of this.pending) {
      if (changes.at(-1).folder === folder) Disk.keepNames(changes, (f) => f.names);
      else rest.push(changes);
    }
    this.pending = rest;
  }

  static keepNames(changes, of) {
    for (const { folder, base, node } of changes) {
      if (node) of(folder).set(base, node);
      else of(folder).delete(base);
    }
  }

  // Writes what would be left into `dir`; the disk itself goes on.
  async cut(dir, random) {
    const pick = () => WAYS[ways[Math.floor(random() * ways.length)]](random);
    const left = new Map();
    const of = (folder) => {
      if (!left.has(folder)) left.set(folder, new Map(folder.names));
      return left.get(folder);
    };
    const keepName = pick();
    this.pending.forEach((changes, i) => {
      if (keepName(i, this.pending.length) === true) Disk.keepNames(changes, of);
    });
    const write = async (node, to) => {
      if (node instanceof File) {
        await writeFile(to, node.cut(pick(), random));
        await chmod(to, node.mode);
        return;
      }
      await mkdir(to, { recursive: true });
      for (const [name, child] of of(node)) await write(child, path.join(to, name));
      await chmod(to, node.mode);
    };
    await write(this.root, dir);
  }
}
