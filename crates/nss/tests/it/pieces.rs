//! Lines of any length, read in portions of any size, are the lines of the file.

use std::cell::Cell;
use std::io;

use nss_portreeve::lines::{Lines, Source, WINDOW};
use proptest::prelude::*;

/// Gives at most so many bytes at a time, with an interruption before each time.
struct Slow<'f> {
    file: &'f [u8],
    most: usize,
    interrupted: Cell<bool>,
}

impl Source for Slow<'_> {
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        if !self.interrupted.replace(!self.interrupted.get()) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = room.len().min(self.most);
        self.file.read_at(&mut room[..most], offset)
    }
}

/// A line: whether its beginning was told, and its parts between commas, except empty ones.
type Line = (bool, Vec<Vec<u8>>);

/// Puts the pieces of each line together again. The second is where the lines end.
fn told<S: Source + ?Sized>(source: &S) -> (Vec<Line>, u64) {
    let mut lines = Lines::new(source, 0);
    let mut all = Vec::new();
    let mut line: Line = Line::default();
    while let Some(piece) = lines.next().unwrap() {
        assert!(!piece.starts || line == Line::default(), "{piece:?}");
        line.0 |= piece.starts;
        let parts = piece.bytes.split(|byte| *byte == b',');
        line.1
            .extend(parts.filter(|part| !part.is_empty()).map(<[u8]>::to_vec));
        if piece.ends {
            all.push(std::mem::take(&mut line));
        }
    }
    (all, lines.offset())
}

/// The same, with the whole file in memory.
fn expected(file: &[u8]) -> Vec<Line> {
    let whole = file.split_inclusive(|byte| *byte == b'\n');
    let whole = whole.filter_map(|line| line.strip_suffix(b"\n"));
    whole
        .map(|line| {
            let parts: Vec<_> = line.split(|byte| *byte == b',').collect();
            let fits = |part: &&[u8]| part.len() < WINDOW;
            let started = parts.first().is_some_and(fits);
            let told = parts
                .into_iter()
                .filter(|part| fits(part) && !part.is_empty());
            (started, told.map(<[u8]>::to_vec).collect())
        })
        .collect()
}

/// Parts of lines, of which some are as long as the window or longer, and what stands behind them.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        20 => 0..40_usize,
        1 => WINDOW - 3..WINDOW + 3,
        1 => 2 * WINDOW - 2..2 * WINDOW + 2,
    ];
    let end = prop_oneof![5 => Just(b','), 1 => Just(b'\n'), 1 => Just(b':')];
    let part = (length, b'a'..=b'z', end);
    (prop::collection::vec(part, 0..60), 0..1_500_usize).prop_map(|(parts, more)| {
        let mut file = Vec::new();
        for (length, letter, end) in parts {
            file.extend(std::iter::repeat_n(letter, length));
            file.push(end);
            // Makes a line of many parts longer than the window now and then.
            file.extend(b"name,".repeat(if end == b':' { more } else { 0 }));
        }
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn pieces_make_the_lines(file in file(), most in 1..3 * WINDOW) {
        let slow = Slow { file: &file, most, interrupted: Cell::new(false) };
        let (lines, end) = told(&slow);
        let unfinished = file.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        prop_assert_eq!(lines, expected(&file));
        if unfinished.is_empty() {
            prop_assert_eq!(end, file.len() as u64);
        }
    }
}
