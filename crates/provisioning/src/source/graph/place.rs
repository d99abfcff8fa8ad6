//! Where a read of Microsoft Graph stands. The engine keeps it as text; nobody else reads it.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::source::{Error, Kind};

/// The version of the text. Another one is not understood and makes the engine read everything anew.
const VERSION: u32 = 1;

/// How long Graph keeps what a link of a delta query stands for.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A read that is under way, or the watermark that it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    version: u32,
    /// A digest of what is asked for: links carry the `$select` of their first query for good.
    asked: String,
    /// Whether everything is read, and not only what has changed.
    pub(super) everything: bool,
    pub(super) stage: Stage,
    /// The next page of this stage; without it the stage begins.
    pub(super) link: Option<Link>,
    /// Where the changes of users since this read, or the one before, are told.
    pub(super) users: Option<Link>,
    /// The same for groups.
    pub(super) groups: Option<Link>,
    /// The assignments that were told last.
    pub(super) told: Option<Tally>,
    /// The assignments told so far by a roll that is under way.
    pub(super) telling: Tally,
    /// How many objects this read will tell of.
    pub(super) total: Option<u64>,
}

/// What is being read. A read of everything goes through `Users`, `DeletedUsers`, `Groups`, `DeletedGroups` and
/// `Roll`; one of changes through `Users`, `Groups`, `Poll` and, if assignments have changed, `Roll`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    Users,
    DeletedUsers,
    Groups,
    DeletedGroups,
    /// Assignments are counted, to see whether they have changed.
    Poll,
    /// Assignments are told.
    Roll,
}

/// A link that Graph gave, whole and unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) url: String,
    /// When it was given, in seconds since 1970 UTC.
    given: u64,
}

/// A digest of a set of assignments that does not depend on their order, so that it can be taken page by page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tally {
    pub(super) count: u64,
    /// The sum of the digests of the assignments, in hexadecimal digits.
    sum: String,
}

impl Progress {
    /// The beginning of a read of everything.
    pub(super) fn everything(asked: &str) -> Self {
        Self {
            version: VERSION,
            asked: asked.to_owned(),
            everything: true,
            stage: Stage::Users,
            link: None,
            users: None,
            groups: None,
            told: None,
            telling: Tally::default(),
            total: None,
        }
    }

    /// Reads the text of a page or watermark.
    pub(super) fn parse(text: &str, asked: &str) -> Result<Self, Error> {
        let progress: Self = serde_json::from_str(text)
            .map_err(|cause| Error::Expired(format!("its watermark cannot be read: {cause}")))?;
        if progress.version != VERSION {
            return Err(Error::Expired(format!(
                "its watermark has version {}",
                progress.version
            )));
        }
        if progress.asked != asked {
            return Err(Error::Expired(
                "other attributes or another tenant are read now".to_owned(),
            ));
        }
        Ok(progress)
    }

    /// The text of this place.
    pub(super) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|cause| Error::Unusable(format!("a place in it has no text: {cause}")))
    }

    /// Where the changes of this kind are told.
    pub(super) fn changes(&mut self, kind: Kind) -> &mut Option<Link> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    /// Goes on to the beginning of a stage.
    pub(super) fn begin(&mut self, stage: Stage) {
        self.stage = stage;
        self.link = None;
    }

    /// The watermark that this read leaves when it is at its end.
    pub(super) fn watermark(mut self) -> Self {
        self.begin(Stage::Users);
        self.everything = false;
        self.telling = Tally::default();
        self.total = None;
        self
    }
}

impl Link {
    pub(super) fn new(url: String, now: SystemTime) -> Self {
        Self {
            url,
            given: seconds(now),
        }
    }

    /// The address, if Graph still knows what it stands for.
    pub(super) fn current(&self, now: SystemTime) -> Result<&str, Error> {
        let age = Duration::from_secs(seconds(now).saturating_sub(self.given));
        if age > KEPT {
            return Err(Error::Expired(format!(
                "Microsoft Graph remembers for 7 days, and the last cycle was {} days ago",
                age.as_secs() / (24 * 60 * 60)
            )));
        }
        Ok(&self.url)
    }
}

impl Tally {
    /// Adds an assignment, given by everything that matters about it.
    pub(super) fn add(&mut self, parts: &[&str]) {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let digest = context.finish();
        let number = digest
            .as_ref()
            .iter()
            .take(16)
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let sum = u128::from_str_radix(&self.sum, 16).unwrap_or(0);
        self.sum = format!("{:032x}", sum.wrapping_add(number));
        self.count += 1;
    }
}

/// A digest of texts, short enough for a watermark.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut tally = Tally::default();
    tally.add(parts);
    tally.sum
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_place_survives_being_text() {
        let mut progress = Progress::everything("asked");
        progress.stage = Stage::Roll;
        progress.link = Some(Link::new(
            "https://graph.example/x?$skiptoken=1".to_owned(),
            at(7),
        ));
        progress.telling.add(&["a", "b"]);
        progress.told = Some(Tally::default());
        progress.total = Some(3);
        let text = progress.text().unwrap();
        assert_eq!(Progress::parse(&text, "asked").unwrap(), progress);
    }

    #[test]
    fn a_place_that_is_not_understood_makes_everything_be_read_anew() {
        let known = Progress::everything("asked").text().unwrap();
        let newer = known.replace(r#""version":1"#, r#""version":2"#);
        let cases = [
            ("no JSON", "", "asked", "cannot be read"),
            ("of a later version", &newer, "asked", "version 2"),
            ("for other attributes", &known, "other", "other attributes"),
        ];
        for (name, text, asked, expected) in cases {
            let error = Progress::parse(text, asked).unwrap_err();
            assert!(matches!(error, Error::Expired(_)), "{name}: {error:?}");
            assert!(error.to_string().contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn a_link_is_followed_for_seven_days() {
        let link = Link::new("https://graph.example/x".to_owned(), at(1_000));
        let week = 7 * 24 * 60 * 60;
        assert!(link.current(at(1_000 + week)).is_ok());
        assert!(matches!(
            link.current(at(1_001 + week)),
            Err(Error::Expired(_))
        ));
        assert!(link.current(at(0)).is_ok(), "a clock that was set back");
    }

    #[test]
    fn a_tally_knows_what_was_counted_and_not_in_which_order() {
        let tally = |assignments: &[&[&str]]| {
            let mut tally = Tally::default();
            assignments.iter().for_each(|parts| tally.add(parts));
            tally
        };
        let both = tally(&[&["ada", "admin"], &["eve", "user"]]);
        assert_eq!(both, tally(&[&["eve", "user"], &["ada", "admin"]]));
        let others: [(&str, &[&[&str]]); 4] = [
            ("one is missing", &[&["ada", "admin"]]),
            (
                "roles are exchanged",
                &[&["ada", "user"], &["eve", "admin"]],
            ),
            (
                "parts are cut elsewhere",
                &[&["adaa", "dmin"], &["eve", "user"]],
            ),
            (
                "there is another",
                &[&["ada", "admin"], &["eve", "user"], &["bob", "user"]],
            ),
        ];
        for (name, other) in others {
            assert_ne!(both, tally(other), "{name}");
        }
    }
}
