#!/usr/bin/env python3
"""Restores one disk of a Holdfast vault, written from docs/vault-format.md alone.

    reader.py --vault DIR --keys DIR --tenant UUID list
    reader.py --vault DIR --keys DIR --tenant UUID restore POINT DISK OUTPUT

Needs the packages blake3, cryptography and zstandard. Everything that the format lets a reader check is checked;
what does not hold ends the program with a sentence and exit code 1.
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
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BLOCK = 4096
SEGMENTS_PER_GROUP = 64
HOLE = 65535
DATA_PACK, META_PACK, INDEX_SEGMENT, POINT, TOMBSTONE, CONDEMNED, CUSTODY = 1, 2, 3, 5, 6, 9, 10
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PACK_ID = re.compile(r"[0-9a-f]{32}")


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
        wrapped = self.read(name)
        require(wrapped[0] == 1, f"the key {name} is of a later version")
        return AESGCM(wrapping).decrypt(wrapped[1:13], wrapped[13:], f"holdfast key 1 {name}".encode())

    def master(self, number):
        """A master key, or None where no key-encryption key is there that it is wrapped with."""
        for version in self.versions(self.tenant, f"master.{number}"):
            suffix = f".{version}" if version > 0 else ""
            if self.exists(f"{self.tenant}/kek{suffix}"):
                return self.unwrap(self.read(f"{self.tenant}/kek{suffix}"), f"{self.tenant}/master.{number}{suffix}")
        return None

    def key(self, folder, start):
        for number in self.versions(folder, start):
            master = self.master(number)
            if master is not None:
                return self.unwrap(master, f"{folder}/{start}.{number}")
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
        footer = self.read(self.size - 80, 80)
        self.table_bytes, self.frame_count, zeros, commitment = struct.unpack("<II8s32s", footer[:48])
        require(zeros == bytes(8), f"{name} has no zeros where they belong")
        info = b"holdfast object 1\0" + bytes([self.kind]) + self.id
        keys = hkdf(vault.object_root(self.generation), salt, info, 96)
        require(hmac.compare_digest(keys[64:], commitment), f"{name} was sealed with another key")
        self.frame_key, table_key = AESGCM(keys[:32]), AESGCM(keys[32:64])
        end = self.size - 80
        require(self.table_bytes <= end - 64, f"{name} has a footer that does not fit")
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
        require(len(self.table) == 48 * self.frame_count, f"{self.name} has a table of another length")
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

    def point(self, point_id):
        """The JSON of a restore point, or None for a tombstone or one that was deleted."""
        if self.deleted(point_id):
            return None
        point = SealedObject(self, f"points/{point_id}", (POINT, TOMBSTONE), uuid_bytes(point_id))
        try:
            point.check_hash()
            if point.kind == TOMBSTONE:
                return None
            cursor = Cursor(point.table, point.name)
            return json.loads(cursor.take(cursor.u32()))
        finally:
            point.close()

    def deleted(self, point_id):
        """Whether the point's custody says so. An entry that is missing before that changes nothing."""
        folder = f"custody/{point_id}"
        present = os.path.isdir(os.path.join(self.folder, folder))
        numbers = {int(n) for n in self.names(folder) if re.fullmatch("[1-9][0-9]*", n)} if present else set()
        for number in sorted(numbers):
            entry = SealedObject(self, f"{folder}/{number}", (CUSTODY,), uuid_bytes(point_id))
            try:
                entry.check_hash()
                content = json.loads(entry.table)
            finally:
                entry.close()
            require(content["number"] == number, f"{entry.name} is another entry")
            if content["kind"] == "delete":
                return True
        require(len(numbers) == max(numbers, default=0), f"{folder} lacks an entry")
        return False

    def points(self):
        for name in sorted(os.listdir(os.path.join(self.folder, "points"))):
            point = self.point(name) if UUID.fullmatch(name) else None
            if point is not None:
                yield point

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
            for frame, described in zip(frames, groups):
                if described == group:
                    yield from decode_records(pack.content(frame), pack.name)

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
                pack, frame = self.resolve(chunk)
                require(frame.raw_bytes == length, f"{pack.name}: frame {frame.ordinal} has not the chunk's length")
                output.seek(at)
                output.write(pack.content(frame))
            at += length


    def resolve(self, chunk):
        """Pack and frame of a chunk: where the manifest says, else where the index says, condemned packs last."""
        pack_id, ordinal, digest = chunk
        condemned = self.condemned()
        problem = None
        if pack_id not in condemned:
            try:
                return self.frame_at(pack_id, ordinal, digest)
            except (Damaged, OSError) as error:
                problem = error
        for other in sorted(self.index().get(digest[:8], ()), key=lambda pack: pack in condemned):
            try:
                return self.frame_of(other, digest)
            except (Damaged, OSError):
                continue
        if problem is not None:
            raise problem
        return self.frame_at(pack_id, ordinal, digest)

    def frame_at(self, pack_id, ordinal, digest):
        pack, frames = self.pack("data", pack_id)
        is_it = ordinal < len(frames) and frames[ordinal].digest[:16] == digest
        require(is_it, f"{pack.name}: frame {ordinal} is another chunk than the manifest says")
        return pack, frames[ordinal]

    def frame_of(self, pack_id, digest):
        pack, frames = self.pack("data", pack_id)
        for frame in frames:
            if frame.digest[:16] == digest:
                return pack, frame
        raise Damaged(f"{pack.name} has no chunk {digest.hex()}")

    def condemned(self):
        """Ids of condemned packs."""
        if self.condemned_packs is None:
            entries = []
            for number in sorted(int(n) for n in self.names("condemned") if re.fullmatch("[1-9][0-9]*", n)):
                entry = SealedObject(self, f"condemned/{number}", (CONDEMNED,), number.to_bytes(16, "big"))
                entries.append((number, json.loads(entry.table)))
                entry.close()
            first = max((content["first"] for _, content in entries), default=0)
            self.condemned_packs = {p for number, content in entries if number >= first for p in content["packs"]}
        return self.condemned_packs

    def index(self):
        """Packs by the first bytes of their chunks' digests, from all index segments: read whole, once, when a chunk was moved."""
        if self.indexed is None:
            self.indexed = {}
            for generation in self.names("index"):
                for name in self.names(f"index/{generation}"):
                    if PACK_ID.fullmatch(name):
                        self.read_index_segment(f"index/{generation}/{name}", bytes.fromhex(name))
        return self.indexed

    def read_index_segment(self, name, segment_id):
        segment = SealedObject(self, name, (INDEX_SEGMENT,), segment_id)
        frames = segment.frames()
        directory = Cursor(segment.content(frames[-1]), name)
        entries, bits = directory.u32(), directory.u32()
        blocks = -(-entries // 340)
        before, first = b"", None
        for frame in frames[:blocks]:
            cursor = Cursor(segment.content(frame), name)
            require(directory.take(8) == cursor.data[:8], f"{name} has a directory of other blocks")
            while not cursor.at_end():
                entry = cursor.take(24)
                require(entry > before, f"{name} is not in order")
                first = entry if first is None else first
                same = int.from_bytes(entry[:8], "big") >> 64 - bits == int.from_bytes(first[:8], "big") >> 64 - bits
                require(same, f"{name} holds digests of another range")
                before, entries = entry, entries - 1
                self.indexed.setdefault(entry[:8], []).append(entry[8:].hex())
        require(entries == 0 and directory.at_end(), f"{name} has another count of entries")
        self.check_filter(b"".join(segment.content(frame) for frame in frames[blocks:-1]), before, name)
        segment.close()

    def check_filter(self, bits, entry, name):
        high, low = struct.unpack(">II", entry[:8])
        words = struct.unpack("<16I", bits[64 * (low * (len(bits) // 64) >> 32) :][:64])
        for mixed in (mix(high), mix(high ^ 0x9E3779B9)):
            for shift in (0, 9, 18):
                bit = mixed >> shift & 511
                require(words[bit >> 5] >> (bit & 31) & 1, f"{name} has a filter that excludes what it holds")

    def names(self, folder):
        path = os.path.join(self.folder, folder)
        return os.listdir(path) if os.path.isdir(path) else []


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
        for point in vault.points():
            print(json.dumps(point["summary"]))
        return
    manifest = find_disk(vault, options.point, options.disk)
    with open(options.output, "wb") as output:
        vault.restore(manifest, output)


if __name__ == "__main__":
    try:
        main()
    except (Damaged, OSError) as problem:
        sys.exit(f"reader: {problem}")
