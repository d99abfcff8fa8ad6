//! Where in a ledger a fingerprint stands.

use super::Fingerprint;

/// Fingerprints are evenly spread, so the first 16 bits of one lead almost to its place.
const STARTS: usize = 1 << 16;

/// The fingerprints of a ledger's records, each with the number of its record.
#[derive(Debug, Default)]
pub(super) struct Register {
    sorted: Vec<(Fingerprint, u32)>,
    /// Where in `sorted` the fingerprints with each beginning start, and where all end.
    starts: Vec<u32>,
}

impl Register {
    /// Fingerprints in the order of their records.
    pub(super) fn new(fingerprints: Vec<Fingerprint>) -> Self {
        let mut sorted: Vec<_> = fingerprints.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut starts = vec![0; STARTS + 1];
        let mut end = 0;
        for (beginning, start) in starts.iter_mut().enumerate() {
            *start = end;
            while sorted
                .get(end as usize)
                .is_some_and(|(fingerprint, _)| self::beginning(fingerprint) == beginning)
            {
                end += 1;
            }
        }
        Self { sorted, starts }
    }

    /// The number of the record with this fingerprint.
    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<usize> {
        let beginning = beginning(fingerprint);
        let start = *self.starts.get(beginning)? as usize;
        let end = *self.starts.get(beginning + 1)? as usize;
        let near = self.sorted.get(start..end)?;
        let at = near.binary_search_by(|(known, _)| known.cmp(fingerprint));
        near.get(at.ok()?).map(|(_, number)| *number as usize)
    }
}

fn beginning(fingerprint: &Fingerprint) -> usize {
    let [first, second, ..] = *fingerprint;
    usize::from(u16::from_be_bytes([first, second]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_fingerprint_is_found_at_its_number_and_no_other(
            mut fingerprints in prop::collection::hash_set(prop::array::uniform16(0_u8..3), 0..60),
            stranger in prop::array::uniform16(0_u8..3),
            edges: bool,
        ) {
            if edges {
                fingerprints.extend([[0; 16], [0xff; 16]]);
            }
            let fingerprints: Vec<Fingerprint> = fingerprints.into_iter().collect();
            let register = Register::new(fingerprints.clone());
            for (number, fingerprint) in fingerprints.iter().enumerate() {
                prop_assert_eq!(register.find(fingerprint), Some(number));
            }
            let expected = fingerprints.iter().position(|known| *known == stranger);
            prop_assert_eq!(register.find(&stranger), expected);
        }
    }
}
