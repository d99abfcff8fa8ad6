//! Trouble that is met again and again, such as that of work which comes round every second while the database is away:
//! the log gets a line when it begins and one when it is over.

use std::mem;

/// Whether there is trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble(bool);

impl Trouble {
    /// It was met. Whether it begins.
    pub(crate) fn begins(&mut self) -> bool {
        !mem::replace(&mut self.0, true)
    }

    /// All went well. Whether it is over.
    pub(crate) fn ends(&mut self) -> bool {
        mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let mut trouble = Trouble::default();
        let met = [false, true, true, true, false, false, true, false];
        let told = met.map(|met| {
            if met {
                trouble.begins()
            } else {
                trouble.ends()
            }
        });
        assert_eq!(told, [false, true, false, false, true, false, true, true]);
    }
}
