//! Writing lists.

use super::{
    CERTIFICATES, FORMAT, KEY_IDS, Krl, MAGIC, Ranges, Revoked, SERIAL_BITMAP, SERIAL_LIST,
    SERIAL_RANGE, SHA256,
};

/// The most bits of one bitmap; OpenSSH refuses larger ones than 64 Ki.
const BITMAP: u64 = 16 * 1024;

/// What a serial number costs in a list, in bits.
const LISTED: u64 = 64;

pub(super) fn write(krl: &Krl) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(FORMAT.to_be_bytes());
    out.extend(krl.version.to_be_bytes());
    out.extend(krl.generated.to_be_bytes());
    out.extend(0_u64.to_be_bytes());
    string(&mut out, b"");
    string(&mut out, krl.comment.as_bytes());
    for (authority, revoked) in &krl.certificates {
        section(&mut out, CERTIFICATES, &certificates(authority, revoked));
    }
    if !krl.keys.is_empty() {
        let mut hashes = Vec::new();
        krl.keys.iter().for_each(|hash| string(&mut hashes, hash));
        section(&mut out, SHA256, &hashes);
    }
    out
}

fn certificates(authority: &[u8], revoked: &Revoked) -> Vec<u8> {
    let mut out = Vec::new();
    string(&mut out, authority);
    string(&mut out, b"");
    serials(&mut out, &revoked.serials);
    if !revoked.key_ids.is_empty() {
        let mut ids = Vec::new();
        revoked
            .key_ids
            .iter()
            .for_each(|id| string(&mut ids, id.as_bytes()));
        section(&mut out, KEY_IDS, &ids);
    }
    out
}

/// Serial numbers, neighbours together: a range where one is long, a bitmap where several are near each other, and a list
/// of those that are far apart.
fn serials(out: &mut Vec<u8>, ranges: &Ranges) {
    let mut alone = Vec::new();
    let mut near: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges.0.iter().map(|(first, last)| (*first, *last)) {
        if last - first >= BITMAP {
            bitmap_or_list(out, &mut near, &mut alone);
            section(
                out,
                SERIAL_RANGE,
                &[first.to_be_bytes(), last.to_be_bytes()].concat(),
            );
            continue;
        }
        let fits = near.first().is_none_or(|(begin, _)| last - begin < BITMAP)
            && near.last().is_none_or(|(_, end)| first - end < LISTED);
        if !fits {
            bitmap_or_list(out, &mut near, &mut alone);
        }
        near.push((first, last));
    }
    bitmap_or_list(out, &mut near, &mut alone);
    if !alone.is_empty() {
        section(out, SERIAL_LIST, &alone.concat());
    }
}

fn bitmap_or_list(out: &mut Vec<u8>, near: &mut Vec<(u64, u64)>, alone: &mut Vec<[u8; 8]>) {
    let near = std::mem::take(near);
    let (Some((first, _)), Some((_, last))) = (near.first().copied(), near.last().copied()) else {
        return;
    };
    if near.len() == 1 && first == last {
        alone.push(first.to_be_bytes());
        return;
    }
    if near.len() == 1 {
        section(
            out,
            SERIAL_RANGE,
            &[first.to_be_bytes(), last.to_be_bytes()].concat(),
        );
        return;
    }
    let mut bits = vec![0_u8; usize::try_from((last - first) / 8 + 1).unwrap_or_default()];
    for bit in near
        .iter()
        .flat_map(|(from, to)| *from..=*to)
        .map(|serial| serial - first)
    {
        let place = usize::try_from(bit / 8).unwrap_or_default();
        if let Some(byte) = bits.get_mut(place) {
            *byte |= 1 << (bit % 8);
        }
    }
    bits.reverse();
    // A number whose first bit is set would be taken for a negative one (RFC 4251 section 5).
    if bits.first().is_some_and(|byte| byte & 0x80 != 0) {
        bits.insert(0, 0);
    }
    let mut data = first.to_be_bytes().to_vec();
    string(&mut data, &bits);
    section(out, SERIAL_BITMAP, &data);
}

fn section(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    out.push(kind);
    string(out, data);
}

/// Bytes with their length in front. Nothing here comes near four gigabytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}
