//! The accounts of all people of a directory: as they are, and as a rule would have them.

use super::{Found, Problem, find, made};
use crate::Refusal;
use crate::directories::Directory;
use crate::users::{self, User};
use portreeve_access::posix::NameRule;
use portreeve_store::{Row, Tx, params, statements};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::ControlFlow;

statements! {
    PAGE = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    NAMES = "SELECT u.id, u.resource, a.name FROM users u LEFT JOIN posix_accounts a ON a.team_id = $2 AND a.holder_id = u.id WHERE u.directory_id = $1 ORDER BY u.id";
    OF_SERVICES = "SELECT name FROM posix_accounts WHERE team_id = $1 AND directory_id = '' AND name IS NOT NULL AND gone_at IS NULL";
}

/// How many people a preview names of each kind.
pub const NAMED: usize = 100;

/// Somebody with their account.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: User,
    /// What their account is, or would be.
    pub account: Found,
}

/// What a rule would come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many people there are.
    pub people: usize,
    /// How many of them would have a name.
    pub named: usize,
    /// How many would have another name than they have been given.
    pub renamed: usize,
    /// The first [`NAMED`] of those: `userName`, the name they have, and the one that they would have, if any.
    pub renames: Vec<(String, String, Option<String>)>,
    /// The first [`NAMED`] who would have no name: id, `userName` and why.
    pub without: Vec<(String, String, Problem)>,
}

/// The next `limit` people of a directory after an id (empty for the first), by id, with their accounts.
pub fn page(
    tx: &mut Tx<'_>,
    directory: &Directory,
    after: &str,
    limit: i64,
) -> Result<Vec<Person>, Refusal> {
    let rows = tx.query(PAGE, &params![&directory.id, after, limit])?;
    rows.into_iter()
        .map(|row| {
            let user = users::from_row(row)?;
            let account = find(tx, directory, &user)?;
            Ok(Person { user, account })
        })
        .collect()
}

/// What it would come to if names were made by this rule. Where two would have the same one, it is that of whoever has it
/// now, else of whoever was there first.
pub fn preview(tx: &mut Tx<'_>, directory: &Directory, rule: NameRule) -> Result<Preview, Refusal> {
    let all = population(tx, directory, rule)?;
    let mut owners: HashMap<&str, (&str, &str)> = HashMap::new();
    let services = tx.query(OF_SERVICES, &params![&directory.team_id])?;
    for row in &services {
        owners.insert(row.text(0)?, ("", "a service account"));
    }
    let keeps = |one: &&One| one.name.as_deref().ok() == one.given.as_deref();
    for one in all.iter().filter(keeps).chain(&all) {
        if let Ok(name) = &one.name {
            owners.entry(name).or_insert((&one.id, &one.user_name));
        }
    }
    let mut preview = Preview {
        people: all.len(),
        ..Preview::default()
    };
    for one in &all {
        let outcome = match &one.name {
            Ok(name) => match owners.get(name.as_str()) {
                Some((id, by)) if *id != one.id => Err(Problem::Taken {
                    name: name.clone(),
                    by: (*by).to_owned(),
                }),
                _ => Ok(name.clone()),
            },
            Err(problem) => Err(problem.clone()),
        };
        preview.add(one, outcome);
    }
    Ok(preview)
}

impl Preview {
    fn add(&mut self, one: &One, outcome: Result<String, Problem>) {
        let name = outcome.as_ref().ok().cloned();
        if let Some(given) = one
            .given
            .as_ref()
            .filter(|given| Some(*given) != name.as_ref())
        {
            self.renamed += 1;
            if self.renames.len() < NAMED {
                let rename = (one.user_name.clone(), given.clone(), name);
                self.renames.push(rename);
            }
        }
        match outcome {
            Ok(_) => self.named += 1,
            Err(problem) if self.without.len() < NAMED => {
                let without = (one.id.clone(), one.user_name.clone(), problem);
                self.without.push(without);
            }
            Err(_) => {}
        }
    }
}

/// Somebody, as far as names go.
struct One {
    id: String,
    user_name: String,
    /// What comes of the rule.
    name: Result<String, Problem>,
    /// The name that they have been given.
    given: Option<String>,
}

/// What of a resource is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(default)]
    user_name: String,
}

fn population(tx: &mut Tx<'_>, directory: &Directory, rule: NameRule) -> Result<Vec<One>, Refusal> {
    let one = |mut row: Row| {
        let named: Named = serde_json::from_str(row.text(1)?).map_err(|error| {
            Refusal::Store(portreeve_store::Error::Failed(format!(
                "a stored resource is not JSON: {error}; restore the database from a backup"
            )))
        })?;
        Ok::<_, Refusal>(One {
            name: made(rule, &named.user_name),
            given: row.take_opt_text(2)?,
            id: row.take_text(0)?,
            user_name: named.user_name,
        })
    };
    let (mut all, mut failed) = (Vec::new(), None);
    let given = params![&directory.id, &directory.team_id];
    tx.each(NAMES, &given, |row| match one(row) {
        Ok(one) => {
            all.push(one);
            ControlFlow::Continue(())
        }
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(all),
    }
}
