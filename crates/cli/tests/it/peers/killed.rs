//! `portreeve app run` is killed (SIGKILL) at random points of an initial cycle and started again until it comes to its
//! end: nobody is made twice, nobody is lost, and all is as if nothing had happened.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::company::Company;
use super::expected::Expected;
use super::shown::Shown;
use super::source::Source;
use super::target::{Fuse, Moment, Target};
use super::{cycle, define};
use crate::program::portreeve;

/// How often it is killed, unless the variable `PORTREEVE_KILLS` says otherwise.
const KILLS: usize = 50;

/// The kills that come after so many milliseconds at most, whatever is sent until then: before the first request the
/// program opens its state and reads the source.
const EARLY: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_is_killed_anywhere_ends_as_if_nothing_had_happened() {
    let mut chance = Chance::new();
    let company = Company::new();
    let mut expected = Expected::default();
    expected.follow(&company);
    let undisturbed = Life::begin(&company).await;
    undisturbed.finish().await;
    undisturbed.verify(&expected).await;
    let reference = undisturbed.shown().await.without_ids();
    let requests = undisturbed.target.tally().requests;

    let kills = number("PORTREEVE_KILLS").unwrap_or(KILLS);
    let mut done = 0;
    while done < kills {
        let life = Life::begin(&company).await;
        while done < kills && life.cut_short(&mut chance, requests).await {
            done += 1;
        }
        life.finish().await;
        life.verify(&expected).await;
        assert_eq!(life.shown().await.without_ids(), reference);
    }
}

/// One application from its first cycle on.
struct Life {
    target: Target,
    definition: String,
    _folder: TempDir,
}

impl Life {
    async fn begin(company: &Company) -> Self {
        let folder = TempDir::new().unwrap();
        let target = Target::start().await;
        let mut source = Source::Csv;
        source.tell(company, folder.path()).await;
        let (url, token) = (&target.reader.base, &target.reader.token);
        let definition = define(&source, url, token, folder.path());
        Self {
            target,
            definition,
            _folder: folder,
        }
    }

    /// Runs the program until it is killed. False when it came to its end before.
    async fn cut_short(&self, chance: &mut Chance, requests: usize) -> bool {
        let mut program = portreeve(&["app", "run", &self.definition])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = program.stdout.take().unwrap();
        let process = Arc::new(Mutex::new(program));
        if chance.below(5) == 0 {
            let delay = chance.below(EARLY);
            println!("  to be killed after {delay} ms");
            tokio::time::sleep(Duration::from_millis(delay)).await;
            process.lock().unwrap().kill().unwrap();
        } else {
            let moments = [Moment::Before, Moment::Unanswered, Moment::Answered];
            let moment = moments[usize::try_from(chance.below(3)).unwrap()];
            let at = 1 + usize::try_from(chance.below(requests as u64)).unwrap();
            println!("  to be killed at request {at}: {moment:?}");
            self.target.lay(Some(Fuse {
                process: Arc::clone(&process),
                at,
                moment,
            }));
        }
        // What it says ends with it.
        let over = move || std::io::copy(&mut said, &mut std::io::sink());
        tokio::task::spawn_blocking(over).await.unwrap().unwrap();
        let ended = process.lock().unwrap().wait().unwrap();
        self.target.lay(None);
        assert!(
            ended.success() || ended.code().is_none(),
            "it ended by itself with {ended}"
        );
        !ended.success()
    }

    /// Runs the program to the end of a cycle.
    async fn finish(&self) {
        let summary = cycle(&self.definition).await;
        assert_eq!(summary["result"], "Succeeded", "{summary:#}");
    }

    /// The target has everybody once, nobody was made twice on the way, and nothing is left to do.
    async fn verify(&self, expected: &Expected) {
        self.shown().await.verify(expected, "after the kills");
        let tally = self.target.tally();
        let twice: Vec<_> = tally.made.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "made more than once: {twice:?}");
        assert_eq!(tally.deleted, 0, "nobody is deleted in an initial cycle");
        self.finish().await;
        assert_eq!(
            self.target.tally(),
            tally,
            "a cycle in which nothing has changed"
        );
    }

    async fn shown(&self) -> Shown {
        Shown::read(&self.target.reader, &Shown::default()).await
    }
}

/// Chance that can be had again: SplitMix64.
struct Chance(u64);

impl Chance {
    /// By the seed in the variable `PORTREEVE_SEED`, or by any.
    fn new() -> Self {
        let any = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let seed = number("PORTREEVE_SEED").map_or_else(any, |seed| seed as u64);
        println!("again with: PORTREEVE_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is no number")))
}
