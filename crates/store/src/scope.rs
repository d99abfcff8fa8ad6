//! What a write may change, so that a database with many writers knows which ones must wait for one another.

/// The part of the database that a write reads and changes.
///
/// Two writes of one scope happen one after the other, whichever servers they come from: what the later one reads
/// includes all that the earlier one did. Writes of different scopes may overlap, and rely on nothing of one another but
/// unique indexes and references. The embedded driver has one writer and overlaps nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(Option<i64>);

impl Scope {
    /// Everything: all other writes wait. For rare changes that concern more than one owner.
    pub const ALL: Self = Self(None);

    /// What belongs to one owner, such as a directory, by its id.
    ///
    /// Ids are told apart by 64 bits of hash (FNV-1a); two that agree in them only wait for one another.
    pub fn of(id: &str) -> Self {
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(Some(hash.cast_signed()))
    }

    /// The hash of the one owner, or `None` for everything.
    pub(crate) fn key(self) -> Option<i64> {
        self.0
    }
}
