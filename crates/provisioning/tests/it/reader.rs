//! Reading a source as the engine does: page by page, keeping what it has been told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use portreeve_provisioning::source::{
    Change, Error, Home, Kind, Member, Next, Page, Place, Settings, Source,
};
use portreeve_provisioning::target::Surroundings;
use serde_json::{Map, Value};

/// A source from settings in TOML.
pub(crate) fn source(toml: &str, folder: &Path, time: &Arc<Time>) -> Result<Source, Error> {
    let settings: Settings = toml::from_str(toml).unwrap();
    let surroundings: Arc<dyn Surroundings> = time.clone();
    let home = Home {
        folder: folder.to_owned(),
        state: folder.join("state"),
        surroundings,
        environment: |name| (name == "LDAP_PASSWORD").then(|| "secret".to_owned()),
        directories: None,
    };
    Source::new(&settings, &home)
}

/// Time that passes only when it is told to, or in pauses; chance that counts.
#[derive(Debug)]
pub(crate) struct Time {
    seconds: AtomicU64,
    chance: AtomicU64,
    pauses: Mutex<Vec<Duration>>,
}

impl Default for Time {
    fn default() -> Self {
        Self {
            seconds: AtomicU64::new(1_795_000_000),
            chance: AtomicU64::new(0),
            pauses: Mutex::default(),
        }
    }
}

impl Time {
    pub(crate) fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn pauses(&self) -> usize {
        self.pauses.lock().unwrap().len()
    }
}

impl Surroundings for Time {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }

    fn random(&self) -> u64 {
        self.chance.fetch_add(1, Ordering::SeqCst)
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pauses.lock().unwrap().push(time);
        Box::pin(tokio::task::yield_now())
    }
}

/// A whole read: everything it tells, and the watermark at its end.
pub(crate) async fn read(source: &Source, from: &Place) -> Result<(Vec<Change>, Place), Error> {
    let mut changes = Vec::new();
    let mut place = from.clone();
    loop {
        let Page {
            changes: page,
            next,
            ..
        } = source.read(&place).await?;
        changes.extend(page);
        match next {
            Next::Page(at) => place = Place::Page(at),
            Next::Watermark(at) => return Ok((changes, Place::Since(at))),
        }
    }
}

/// Changes as lines that a table of expectations can hold, without the folder of the test.
pub(crate) fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(line).collect()
}

fn line(change: &Change) -> String {
    let word = |kind: &Kind| match kind {
        Kind::User => "user",
        Kind::Group => "group",
    };
    let keys = |members: &[Member]| {
        let keys: Vec<&str> = members.iter().map(|member| member.key.as_str()).collect();
        keys.join(" ")
    };
    match change {
        Change::Present(object) => format!("{} {}", word(&object.kind), object.key),
        Change::Gone { kind, key } => format!("gone {} {key}", word(kind)),
        Change::Members {
            group,
            added,
            removed,
        } if removed.is_empty() => format!("{group} + {}", keys(added)),
        Change::Members { group, removed, .. } => format!("{group} - {}", keys(removed)),
        Change::Unusable { place, reason } => {
            let place = place.rsplit('/').next().unwrap_or_default();
            let (what, remedy) = reason.split_once("; ").unwrap_or((reason, ""));
            assert!(
                !remedy.is_empty() || reason.contains(". "),
                "no remedy in: {reason}"
            );
            format!("{place}: {}", what.split(". ").next().unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

/// What somebody knows who has been told changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) objects: BTreeMap<(Kind, String), Map<String, Value>>,
    pub(crate) memberships: BTreeSet<(String, String)>,
}

impl Told {
    pub(crate) fn hear(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Present(object) => {
                    let name = (object.kind, object.key.clone());
                    self.objects.insert(name, object.attributes.clone());
                }
                Change::Gone { kind, key } => {
                    self.objects.remove(&(*kind, key.clone()));
                    self.forget(key);
                }
                Change::Members {
                    group,
                    added,
                    removed,
                } => {
                    for member in removed {
                        self.memberships
                            .remove(&(group.clone(), member.key.clone()));
                    }
                    for member in added {
                        self.memberships.insert((group.clone(), member.key.clone()));
                    }
                }
                other => panic!("not told by this source: {other:?}"),
            }
        }
    }
    /// What referred to an object that is gone refers to nothing.
    fn forget(&mut self, key: &str) {
        self.memberships
            .retain(|(group, member)| member != key && group != key);
        for attributes in self.objects.values_mut() {
            attributes.retain(|name, value| name != "manager" || value != key);
        }
    }
}
