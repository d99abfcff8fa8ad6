//! Reading lists. Whatever is not understood is an error: to pass over it could mean to let somebody in.

use super::{
    CERTIFICATE_EXTENSION, CERTIFICATES, EXPLICIT_KEYS, EXTENSION, Error, FORMAT, KEY_IDS, Krl,
    MAGIC, MAX_BYTES, SERIAL_BITMAP, SERIAL_LIST, SERIAL_RANGE, SHA1, SHA256, SIGNATURE, sha256,
};

/// The most bits of one bitmap, as OpenSSH has it.
const BITMAP: usize = 64 * 1024;

pub(super) fn read(bytes: &[u8]) -> Result<Krl, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(Error::Foreign);
    }
    let mut reader = Reader {
        bytes,
        at: MAGIC.len(),
    };
    let format = u32::from_be_bytes(reader.array()?);
    if format != FORMAT {
        return Err(Error::Unknown(format!(
            "it has format {format}, and only {FORMAT} is known"
        )));
    }
    let mut krl = Krl {
        version: reader.number()?,
        generated: reader.number()?,
        ..Krl::default()
    };
    let flags = reader.number()?;
    if flags != 0 {
        return Err(Error::Unknown(format!("it has flags {flags}")));
    }
    reader.string()?;
    krl.comment = text(reader.string()?)?;
    while !reader.is_done() {
        let [kind] = reader.array()?;
        let section = reader.inner()?;
        match kind {
            CERTIFICATES => certificates(section, &mut krl)?,
            EXPLICIT_KEYS => {
                let mut section = section;
                while !section.is_done() {
                    krl.keys.insert(sha256(section.string()?));
                }
            }
            SHA256 => hashes(section, &mut krl)?,
            SHA1 => return Err(Error::Unknown("it has SHA-1 hashes".to_owned())),
            SIGNATURE => return Err(Error::Unknown("it has a signature inside".to_owned())),
            EXTENSION => extension(section)?,
            other => return Err(Error::Unknown(format!("it has a section {other}"))),
        }
    }
    Ok(krl)
}

fn certificates(mut section: Reader<'_>, krl: &mut Krl) -> Result<(), Error> {
    let authority = section.string()?.to_vec();
    section.string()?;
    let revoked = krl.certificates.entry(authority).or_default();
    while !section.is_done() {
        let [kind] = section.array()?;
        let mut part = section.inner()?;
        match kind {
            SERIAL_LIST => {
                while !part.is_done() {
                    let serial = part.number()?;
                    revoked.serials.add(serial, serial);
                }
            }
            SERIAL_RANGE => {
                let (first, last) = (part.number()?, part.number()?);
                if first > last {
                    return Err(Error::Unknown(
                        "it has a range that ends before it begins".to_owned(),
                    ));
                }
                revoked.serials.add(first, last);
            }
            SERIAL_BITMAP => {
                let first = part.number()?;
                bitmap(first, part.string()?, |serial| {
                    revoked.serials.add(serial, serial)
                })?;
            }
            KEY_IDS => {
                while !part.is_done() {
                    revoked.key_ids.insert(text(part.string()?)?);
                }
            }
            CERTIFICATE_EXTENSION => extension(part)?,
            other => return Err(Error::Unknown(format!("it has a part {other:#x}"))),
        }
        part.finish()?;
    }
    Ok(())
}

fn bitmap(first: u64, bits: &[u8], mut add: impl FnMut(u64)) -> Result<(), Error> {
    if bits.len() > BITMAP / 8 + 1 {
        return Err(Error::Unknown(
            "it has a bitmap that is too large".to_owned(),
        ));
    }
    for (place, byte) in bits.iter().rev().enumerate() {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            let offset = (place * 8 + bit) as u64;
            let serial = first.checked_add(offset);
            add(serial
                .ok_or_else(|| Error::Unknown("it has a serial number beyond all".to_owned()))?);
        }
    }
    Ok(())
}

fn hashes(mut section: Reader<'_>, krl: &mut Krl) -> Result<(), Error> {
    while !section.is_done() {
        let hash = <[u8; 32]>::try_from(section.string()?);
        krl.keys.insert(
            hash.map_err(|_| Error::Unknown("it has a hash of another length".to_owned()))?,
        );
    }
    Ok(())
}

/// An extension that may be passed over says so itself.
fn extension(mut section: Reader<'_>) -> Result<(), Error> {
    let name = text(section.string()?)?;
    let [critical] = section.array()?;
    section.string()?;
    section.finish()?;
    match critical {
        0 => Ok(()),
        _ => Err(Error::Unknown(format!(
            "it has the extension {name:?}, which must be understood"
        ))),
    }
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    let text = String::from_utf8(bytes.to_vec());
    text.map_err(|_| Error::Unknown("it has a text that is not UTF-8".to_owned()))
}

#[derive(Clone, Copy)]
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn finish(&self) -> Result<(), Error> {
        match self.is_done() {
            true => Ok(()),
            false => Err(Error::Unknown(
                "a part of it is longer than what it has in it".to_owned(),
            )),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Error> {
        let end = self.at.checked_add(length).ok_or(Error::Short(self.at))?;
        let taken = self.bytes.get(self.at..end).ok_or(Error::Short(self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| Error::Short(at))
    }

    fn number(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    fn string(&mut self) -> Result<&'b [u8], Error> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| Error::Short(self.at))?)
    }

    /// What a string holds, to be read in its turn. Places in it are told as places in the whole.
    fn inner(&mut self) -> Result<Self, Error> {
        let length = self.string()?.len();
        let bytes = self.bytes.get(..self.at).unwrap_or_default();
        Ok(Self {
            bytes,
            at: self.at - length,
        })
    }
}
