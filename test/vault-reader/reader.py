#!/usr/bin/env python3
"""Restores one disk of a Holdfast vault, written from docs/vault-format.md alone.

    reader.py --vault DIR --keys DIR --tenant UUID list
    reader.py --vault DIR --keys DIR --tenant UUID restore POINT DISK OUTPUT

Needs the packages blake3, cryptography and zstandard. It is for a vault that nobody writes to meanwhile: lists are
made once. Everything that the format lets a reader check is checked. What does not hold is passed over where the
format says so; else it ends the program with a sentence and exit code 1, or, of one point in a list, is named.
"""

import argparse
import hmac
import json
import os
import re
import struct
import sys

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BLOCK = 4096
SEGMENTS_PER_GROUP = 64
HOLE = 65535
DATA_PACK, META_PACK, INDEX_SEGMENT, POINT, TOMBSTONE, CONDEMNED, CUSTODY = 1, 2, 3, 5, 6, 9, 10
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PACK_ID = re.compile(r"[0-9a-f]{32}")
COUNTED = re.compile(r"[1-9][0-9]{0,14}")
MAX_GAP = 1000
MAX_MIB = {POINT: 64, TOMBSTONE: 64, CONDEMNED: 256, CUSTODY: 1}


class Damaged(Exception):
    """Something in the vault is not as its format says."""


def require(holds, message):
    if not holds:
        raise Damaged(message)


def hkdf(key, salt, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)


def uuid_bytes(text):
    require(UUID.fullmatch(text), f"{text!r} is no UUID")
    return bytes.fromhex(text.replace("-", ""))


class Cursor:
    """Reads little-endian numbers and bytes, one after the other."""

    def __init__(self, data, name):
        self.data, self.name, self.at = data, name, 0

    def take(self, length):
        require(self.at + length <= len(self.data), f"{self.name} ends too early")
        self.at += length
        return self.data[self.at - length : self.at]

    def u16(self):
        return struct.unpack("<H", self.take(2))[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def at_end(self):
        return self.at == len(self.data)


class KeyRing:
    def __init__(self, folder, tenant):
        self.folder, self.tenant = folder, tenant

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def exists(self, name):
        return os.path.exists(os.path.join(self.folder, name))

    def versions(self, folder, start):
        """The numbers that names in a folder go on with after `start`, highest first; without one it is 0."""
        names = os.listdir(os.path.join(self.folder, folder))
        found = [re.fullmatch(re.escape(start) + r"(?:\.(\d+))?", name) for name in names]
        return sorted((int(match[1] or 0) for match in found if match), reverse=True)

    def unwrap(self, wrapping, name):
        """A key, or None where its file does not open with what wraps it."""
        try:
            wrapped = self.read(name)
            require(wrapped[:1] == b"\1", f"the key {name} is of a later version")
            return AESGCM(wrapping).decrypt(wrapped[1:13], wrapped[13:], f"holdfast key 1 {name}".encode())
        except (Damaged, InvalidTag, ValueError):
            return None

    def master(self, number):
        """A master key, or None where no key-encryption key is there that it opens with."""
        for version in self.versions(self.tenant, f"master.{number}"):
            suffix = f".{version}" if version > 0 else ""
            if self.exists(f"{self.tenant}/kek{suffix}"):
                kek = self.read(f"{self.tenant}/kek{suffix}")
                key = self.unwrap(kek, f"{self.tenant}/master.{number}{suffix}")
                if key is not None:
                    return key
        return None

    def key(self, folder, start):
        for number in self.versions(folder, start):
            master = self.master(number)
            key = None if master is None else self.unwrap(master, f"{folder}/{start}.{number}")
            if key is not None:
                return key
        raise Damaged(f"the key {folder}/{start} is not there, or does not open")

    def keys(self, repository, generation):
        """Repository key and dedup secret."""
        require(not self.exists(f"{self.tenant}/destroyed"), f"the keys of tenant {self.tenant} were destroyed")
        repository_key = self.key(f"{self.tenant}/repositories", f"{repository}.{generation}")
        return repository_key, self.key(self.tenant, "dedup")


class Frame:
    def __init__(self, ordinal, row):
        self.ordinal = ordinal
        self.digest, self.offset, self.sealed_bytes, self.raw_bytes, self.codec, zeros = struct.unpack(
            "<32sIIIB3s", row
        )
        require(zeros == bytes(3), "a pack's table has no zeros where they belong")


class SealedObject:
    """Header, footer and table of an object; its frames are opened one at a time."""

    def __init__(self, vault, name, kinds, object_id):
        self.vault, self.name = vault, name
        self.file = open(os.path.join(vault.folder, name), "rb")
        self.size = os.fstat(self.file.fileno()).st_size
        require(self.size >= 64 + 16 + 80, f"{name} is too short")
        header = self.read(0, 64)
        magic, version, self.kind, suite, self.generation, self.id, salt = struct.unpack("<8sHBBI16s32s", header)
        require(magic == b"HOLDFAST", f"{name} is no object")
        require(version == 1 and suite == 1, f"{name} is of a later format")
        require(self.kind in kinds and self.id == object_id, f"{name} is another object than its name says")
        require(self.size <= MAX_MIB.get(self.kind, 1 << 20) << 20, f"{name} is larger than any that is written")
        footer = self.read(self.size - 80, 80)
        self.table_bytes, self.frame_count, zeros, commitment = struct.unpack("<II8s32s", footer[:48])
        require(zeros == bytes(8), f"{name} has no zeros where they belong")
        info = b"holdfast object 1\0" + bytes([self.kind]) + self.id
        keys = hkdf(vault.object_root(self.generation), salt, info, 96)
        require(hmac.compare_digest(keys[64:], commitment), f"{name} was sealed with another key")
        self.frame_key, table_key = AESGCM(keys[:32]), AESGCM(keys[32:64])
        end = self.size - 80
        require(16 <= self.table_bytes <= end - 64, f"{name} has a footer that does not fit")
        if self.kind in (DATA_PACK, META_PACK, INDEX_SEGMENT):
            fits = self.frame_count <= 65535 and self.table_bytes == 48 * self.frame_count + 16
            require(fits, f"{name} has a table of another length")
        raw_bytes = self.table_bytes - 16
        aad = self.associated_data(0, self.frame_count, raw_bytes, bytes(32))
        self.table = self.open(table_key, self.frame_count, self.read(end - self.table_bytes, self.table_bytes), aad)

    def read(self, offset, length):
        self.file.seek(offset)
        data = self.file.read(length)
        require(len(data) == length, f"{self.name} ends too early")
        return data

    def close(self):
        self.file.close()

    def check_hash(self):
        self.file.seek(0)
        data = self.file.read()
        require(blake3(data[:-32]).digest() == data[-32:], f"{self.name} does not have its hash")

    def associated_data(self, codec, ordinal, raw_bytes, digest):
        start = struct.pack("<BBBBI", 1, self.kind, codec, 1, self.generation)
        return start + self.vault.id_bytes + self.id + struct.pack("<II", ordinal, raw_bytes) + digest

    def open(self, key, ordinal, sealed, aad):
        try:
            return key.decrypt(struct.pack("<I", ordinal) + bytes(8), sealed, aad)
        except Exception as error:
            raise Damaged(f"{self.name} does not open at {ordinal}") from error

    def frames(self):
        return [Frame(i, self.table[48 * i : 48 * i + 48]) for i in range(self.frame_count)]

    def content(self, frame):
        aad = self.associated_data(frame.codec, frame.ordinal, frame.raw_bytes, frame.digest)
        raw = self.open(self.frame_key, frame.ordinal, self.read(frame.offset, frame.sealed_bytes), aad)
        require(frame.codec in (0, 1), f"{self.name} uses codec {frame.codec}")
        if frame.codec == 1:
            raw = zstandard.ZstdDecompressor().decompress(raw, max_output_size=frame.raw_bytes)
        require(len(raw) == frame.raw_bytes, f"{self.name}: frame {frame.ordinal} has another length")
        digest = blake3(raw, key=self.vault.digest_key).digest()
        require(digest == frame.digest, f"{self.name}: frame {frame.ordinal} has another digest")
        return raw


class Vault:
    def __init__(self, folder, ring):
        self.folder = folder
        with open(os.path.join(folder, "repo.0"), "rb") as file:
            data = file.read()
        line = data[: data.index(b"\n") + 1]
        parameters = json.loads(line)
        require(parameters["format"] == 1, f"format {parameters['format']} is not known")
        require(parameters["generation"] == 0, "repo.0 describes another generation")
        self.ring, self.repository, self.roots = ring, parameters["repositoryId"], {}
        repository_key, dedup_secret = ring.keys(self.repository, 0)
        self.id_bytes = uuid_bytes(parameters["repositoryId"])
        wanted = blake3(line, key=hkdf(repository_key, self.id_bytes, b"holdfast parameters 1", 32)).hexdigest()
        require(data[len(line) :] == wanted.encode() + b"\n", "repo.0 was changed")
        self.digest_key = hkdf(dedup_secret, None, b"holdfast chunk digest 1", 32)
        self.segment_bytes = parameters["chunking"]["segmentBytes"]
        require(parameters["chunking"]["blockBytes"] == BLOCK, "blocks are of another size")
        self.packs = {}
        self.condemned_packs = self.indexed = None

    def object_root(self, generation):
        if generation not in self.roots:
            repository_key, _ = self.ring.keys(self.repository, generation)
            self.roots[generation] = hkdf(repository_key, self.id_bytes, b"holdfast objects 1", 32)
        return self.roots[generation]

    def whole(self, name, kinds, object_id):
        """Kind and table of an object that has no frames."""
        item = SealedObject(self, name, kinds, object_id)
        try:
            item.check_hash()
            return item.kind, item.table
        finally:
            item.close()

    def point(self, point_id):
        """The JSON of a restore point, or None for a tombstone or one that was deleted."""
        if self.deleted(point_id):
            return None
        name = f"points/{point_id}"
        kind, table = self.whole(name, (POINT, TOMBSTONE), uuid_bytes(point_id))
        if kind == TOMBSTONE:
            return None
        cursor = Cursor(table, name)
        return json.loads(cursor.take(cursor.u32()))

    def deleted(self, point_id):
        """Whether the point's custody says so. An entry that is missing or damaged says nothing."""
        folder, last = f"custody/{point_id}", 0
        for number in self.numbers(folder):
            last = number if number - last <= MAX_GAP else last
        lacking = 0
        for number in range(1, last + 1):
            try:
                _, table = self.whole(f"{folder}/{number}", (CUSTODY,), uuid_bytes(point_id))
                entry = json.loads(table)
                require(entry["number"] == number, f"{folder}/{number} is another entry")
            except (Damaged, OSError):
                lacking += 1
                if lacking > MAX_GAP:
                    break
                continue
            if entry["kind"] == "delete":
                return True
        return False

    def points(self):
        """The points that can be read, each with its id, and of the others what is wrong instead."""
        for name in sorted(os.listdir(os.path.join(self.folder, "points"))):
            if UUID.fullmatch(name):
                try:
                    point = self.point(name)
                except (Damaged, OSError) as problem:
                    yield name, problem
                    continue
                if point is not None:
                    yield name, point

    def pack(self, area, pack_id):
        if (area, pack_id) not in self.packs:
            require(PACK_ID.fullmatch(pack_id), f"{pack_id!r} is no pack")
            if len(self.packs) >= 64:
                self.packs.pop(next(iter(self.packs)))[0].close()
            kind = DATA_PACK if area == "data" else META_PACK
            pack = SealedObject(self, f"{area}/{pack_id[:2]}/{pack_id}", (kind,), bytes.fromhex(pack_id))
            self.packs[area, pack_id] = pack, pack.frames()
        return self.packs[area, pack_id]

    def records(self, layer, group):
        """(segment, runs) of one layer for one group of segments; a run is (start, end, entries)."""
        for place in layer["packs"]:
            if not place["firstGroup"] <= group <= place["lastGroup"]:
                continue
            pack, frames = self.pack("meta", place["id"])
            digests = b"".join(frame.digest for frame in frames)
            contents = blake3(digests, key=self.digest_key).hexdigest()[:32]
            require(place.get("contents", contents) == contents, f"{pack.name} holds something else")
            directory = pack.content(frames[-1])
            groups = struct.unpack(f"<{len(directory) // 4}I", directory)
            described = dict(zip(groups, frames))
            if group in described:
                yield from decode_records(pack.content(described[group]), pack.name)

    def tables(self, manifest, group):
        """Of each segment of a group that a layer speaks of: its entries, as (blocks, chunk or None)."""
        tables = {}
        for layer in manifest["layers"]:
            for segment, runs in self.records(layer, group):
                for run in runs:
                    tables[segment] = replace_blocks(tables.get(segment, []), run)
            for segment, table in tables.items():
                tables[segment] = truncate(table, self.blocks_in(segment, layer["sizeBytes"]))
        return tables

    def blocks_in(self, segment, size):
        rest = min(self.segment_bytes, max(0, size - segment * self.segment_bytes))
        return -(-rest // BLOCK)

    def restore(self, manifest, output):
        size = manifest["sizeBytes"]
        output.truncate(size)
        segments = -(-size // self.segment_bytes)
        for first in range(0, segments, SEGMENTS_PER_GROUP):
            tables = self.tables(manifest, first // SEGMENTS_PER_GROUP)
            for segment in range(first, min(first + SEGMENTS_PER_GROUP, segments)):
                table = tables.get(segment, [])
                covered = sum(blocks for blocks, _ in table)
                require(covered == self.blocks_in(segment, size), f"the manifest does not cover segment {segment}")
                self.restore_segment(segment, table, size, output)

    def restore_segment(self, segment, table, size, output):
        at = segment * self.segment_bytes
        for blocks, chunk in table:
            length = min(blocks * BLOCK, size - at)
            if chunk is not None:
                output.seek(at)
                output.write(self.read_chunk(chunk, length))
            at += length

    def read_chunk(self, chunk, length):
        """A chunk, from the first of its places where it is whole; else what is wrong where the manifest says it is."""
        problem = None
        for pack_id, ordinal in self.places(chunk):
            try:
                pack, frame = self.frame(pack_id, ordinal, chunk[2])
                require(frame.raw_bytes == length, f"{pack.name}: frame {frame.ordinal} has not the chunk's length")
                return pack.content(frame)
            except (Damaged, OSError) as error:
                problem = error if ordinal is not None else problem
        raise problem

    def places(self, chunk):
        """Packs, and the frame where it is known: first what the manifest says, then the index, condemned packs last."""
        pack_id, ordinal, digest = chunk
        condemned = self.condemned()
        if pack_id not in condemned:
            yield pack_id, ordinal
        indexed = self.index().get(digest[:8], ())
        yield from ((pack, None) for pack in indexed if pack not in condemned)
        if pack_id in condemned:
            yield pack_id, ordinal
        yield from ((pack, None) for pack in indexed if pack in condemned)

    def frame(self, pack_id, ordinal, digest):
        pack, frames = self.pack("data", pack_id)
        for frame in frames if ordinal is None else frames[ordinal : ordinal + 1]:
            if frame.digest[:16] == digest:
                return pack, frame
        raise Damaged(f"{pack.name} has no chunk {digest.hex()}" + ("" if ordinal is None else f" in frame {ordinal}"))

    def condemned(self):
        """Ids of condemned packs. How far the numbers go, the highest that opens says; others are passed over."""
        if self.condemned_packs is None:
            self.condemned_packs = set()
            found = (self.condemned_entry(number) for number in reversed(self.numbers("condemned")))
            highest = next((entry for entry in found if entry is not None), None)
            if highest is not None:
                lower = [self.condemned_entry(number) for number in range(highest["first"], highest["number"])]
                entries = [entry for entry in [*lower, highest] if entry is not None]
                first = max(entry["first"] for entry in entries)
                self.condemned_packs = {p for entry in entries if entry["number"] >= first for p in entry["packs"]}
        return self.condemned_packs

    def condemned_entry(self, number):
        try:
            _, table = self.whole(f"condemned/{number}", (CONDEMNED,), number.to_bytes(16, "big"))
            return {**json.loads(table), "number": number}
        except (Damaged, OSError):
            return None

    def index(self):
        """
        Packs by the first bytes of their chunks' digests, from all index segments that open: read whole, once, when a
        chunk is not where the manifest says.
        """
        if self.indexed is None:
            self.indexed = {}
            for generation in self.names("index"):
                for name in self.names(f"index/{generation}"):
                    if PACK_ID.fullmatch(name):
                        try:
                            entries = self.read_index_segment(f"index/{generation}/{name}", bytes.fromhex(name))
                        except (Damaged, OSError):
                            continue
                        for entry in entries:
                            self.indexed.setdefault(entry[:8], []).append(entry[8:].hex())
        return self.indexed

    def read_index_segment(self, name, segment_id):
        segment = SealedObject(self, name, (INDEX_SEGMENT,), segment_id)
        try:
            frames = segment.frames()
            require(frames, f"{name} has no directory")
            directory = Cursor(segment.content(frames[-1]), name)
            count, bits = directory.u32(), directory.u32()
            blocks = -(-count // 340)
            fits = count > 0 and bits <= 32 and len(frames) > blocks + 1 and len(directory.data) == 8 + 8 * blocks
            require(fits, f"{name} has a directory that does not fit")
            contents = [segment.content(frame) for frame in frames[:-1]]
        finally:
            segment.close()
        for block in contents[:blocks]:
            require(directory.take(8) == block[:8], f"{name} has a directory of other blocks")
        cursor = Cursor(b"".join(contents[:blocks]), name)
        entries = [cursor.take(24) for _ in range(count)]
        require(cursor.at_end(), f"{name} has another count of entries")
        require(all(a < b for a, b in zip(entries, entries[1:])), f"{name} is not in order")
        prefixes = {int.from_bytes(entry[:8], "big") >> 64 - bits for entry in entries}
        require(len(prefixes) == 1, f"{name} holds digests of another range")
        self.check_filter(b"".join(contents[blocks:]), entries[-1], name)
        return entries

    def check_filter(self, bits, entry, name):
        require(bits and len(bits) % 64 == 0, f"{name} has a filter of {len(bits)} bytes")
        high, low = struct.unpack(">II", entry[:8])
        words = struct.unpack("<16I", bits[64 * (low * (len(bits) // 64) >> 32) :][:64])
        for mixed in (mix(high), mix(high ^ 0x9E3779B9)):
            for shift in (0, 9, 18):
                bit = mixed >> shift & 511
                require(words[bit >> 5] >> (bit & 31) & 1, f"{name} has a filter that excludes what it holds")

    def names(self, folder):
        path = os.path.join(self.folder, folder)
        return os.listdir(path) if os.path.isdir(path) else []

    def numbers(self, folder):
        """Of the files in a folder that are counted, ascending."""
        files = [name for name in self.names(folder) if os.path.isfile(os.path.join(self.folder, folder, name))]
        return sorted(int(name) for name in files if COUNTED.fullmatch(name))


def mix(x):
    x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ x >> 16


def decode_records(data, name):
    cursor = Cursor(data, name)
    packs = [cursor.take(16).hex() for _ in range(cursor.u32())]
    records = []
    for _ in range(cursor.u32()):
        segment = cursor.u32()
        runs = []
        for _ in range(cursor.u16()):
            start, end, count = cursor.u16(), cursor.u16(), cursor.u16()
            runs.append((start, end, [decode_entry(cursor, packs) for _ in range(count)]))
        records.append((segment, runs))
    require(cursor.at_end(), f"{name} goes on after its records")
    return records


def decode_entry(cursor, packs):
    blocks, position = cursor.u16(), cursor.u16()
    if position == HOLE:
        return blocks, None
    require(position < len(packs), f"{cursor.name} names a pack that it does not list")
    return blocks, (packs[position], cursor.u16(), cursor.take(16))


def replace_blocks(table, run):
    """Entries that share a block with the run give way to the run's own."""
    start, end, entries = run
    require(sum(blocks for blocks, _ in entries) == end - start, "a run's entries don't cover its blocks")
    before, after, at = [], [], 0
    for entry in table:
        first, at = at, at + entry[0]
        if at <= start:
            before.append(entry)
        elif first >= end:
            after.append(entry)
        else:
            require(first >= start, "a run begins within an entry")
    return before + entries + after


def truncate(table, limit):
    kept, at = [], 0
    for entry in table:
        at += entry[0]
        if at <= limit:
            kept.append(entry)
    return kept


def find_disk(vault, point_id, disk_key):
    point = vault.point(point_id)
    require(point is not None, f"{point_id} was fenced or deleted")
    for disk in point["disks"]:
        if disk["diskKey"] == disk_key:
            return disk
    raise Damaged(f"restore point {point_id} has no disk {disk_key}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault", required=True)
    parser.add_argument("--keys", required=True)
    parser.add_argument("--tenant", required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    restore = commands.add_parser("restore")
    for name in ("point", "disk", "output"):
        restore.add_argument(name)
    options = parser.parse_args()
    vault = Vault(options.vault, KeyRing(options.keys, options.tenant))
    if options.command == "list":
        damaged = []
        for point_id, point in vault.points():
            if isinstance(point, dict):
                print(json.dumps(point["summary"]))
            else:
                damaged.append(f"{point_id}: {point}")
        require(not damaged, "\n".join(["restore points are damaged", *damaged]))
        return
    manifest = find_disk(vault, options.point, options.disk)
    with open(options.output, "wb") as output:
        vault.restore(manifest, output)


if __name__ == "__main__":
    try:
        main()
    except (Damaged, OSError) as problem:
        sys.exit(f"reader: {problem}")
