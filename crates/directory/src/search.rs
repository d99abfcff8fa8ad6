//! Search for screens: what somebody types is the beginning of a name, user name or address, or stands inside of one.
//!
//! Beginnings are looked up in the indexes. What stands inside is found by reading along an index that has nothing but the
//! names, so that at 100,000 people it takes a few hundredths of a second even where nobody is found, and no write costs
//! more for it.

use crate::Refusal;
use crate::groups::Group;
use crate::list::{Groups, Kind, Users};
use crate::members;
use crate::users::User;
use portreeve_scim::text::{fold, user_name_key};
use portreeve_store::{Param, Tx, params, statements};
use std::collections::HashMap;

statements! {
    USER_KEY = "SELECT id FROM users WHERE directory_id = $1 AND id = $2 UNION ALL SELECT id FROM users WHERE directory_id = $1 AND external_id = $2";
    DISPLAY_NAME_BEGINS = "SELECT id FROM users WHERE directory_id = $1 AND display_name_key IS NOT NULL AND display_name_key >= $2 AND display_name_key < $3 ORDER BY display_name_key, id LIMIT $4";
    USER_NAME_BEGINS = "SELECT id FROM users WHERE directory_id = $1 AND user_name_key >= $2 AND user_name_key < $3 ORDER BY user_name_key LIMIT $4";
    EMAIL_BEGINS = "SELECT user_id FROM user_emails WHERE directory_id = $1 AND value_key >= $2 AND value_key < $3 ORDER BY value_key, user_id LIMIT $4";
    DISPLAY_NAME_HAS = "SELECT id FROM users WHERE directory_id = $1 AND display_name_key IS NOT NULL AND display_name_key LIKE $2 ESCAPE '\\' ORDER BY display_name_key, id LIMIT $3";
    /// The index has no id, so that those who are found are looked up.
    USER_NAME_HAS = "SELECT u.id FROM (SELECT user_name_key AS key FROM users WHERE directory_id = $1 AND user_name_key LIKE $2 ESCAPE '\\' ORDER BY user_name_key LIMIT $3) AS hit JOIN users u ON u.directory_id = $1 AND u.user_name_key = hit.key ORDER BY hit.key";
    EMAIL_HAS = "SELECT user_id FROM user_emails WHERE directory_id = $1 AND value_key LIKE $2 ESCAPE '\\' ORDER BY value_key, user_id LIMIT $3";
    GROUP_KEY = "SELECT id FROM groups WHERE directory_id = $1 AND id = $2 AND status = 'active' UNION ALL SELECT id FROM groups WHERE directory_id = $1 AND external_id = $2 AND status = 'active'";
    GROUP_BEGINS = "SELECT id FROM groups WHERE directory_id = $1 AND display_name_key >= $2 AND display_name_key < $3 AND status = 'active' ORDER BY display_name_key, id LIMIT $4";
    GROUP_HAS = "SELECT id FROM groups WHERE directory_id = $1 AND display_name_key LIKE $2 ESCAPE '\\' AND status = 'active' ORDER BY display_name_key, id LIMIT $3";
}

/// The most characters of what is searched for that count.
const LONGEST: usize = 200;

/// Users with that text in their names or addresses, those first in whom one begins with it; or the one with that id.
pub fn users(
    tx: &mut Tx<'_>,
    directory_id: &str,
    text: &str,
    limit: usize,
) -> Result<Vec<User>, Refusal> {
    let Some(text) = wanted(text) else {
        return Ok(Vec::new());
    };
    let (folded, user_name) = (fold(&text).into_owned(), user_name_key(&text));
    let mut found = Found::new(directory_id, limit);
    found.key(tx, USER_KEY, &text)?;
    found.beginning(tx, DISPLAY_NAME_BEGINS, &folded)?;
    found.beginning(tx, USER_NAME_BEGINS, &user_name)?;
    found.beginning(tx, EMAIL_BEGINS, &folded)?;
    found.having(tx, DISPLAY_NAME_HAS, &folded)?;
    found.having(tx, USER_NAME_HAS, &user_name)?;
    found.having(tx, EMAIL_HAS, &folded)?;
    found.read::<Users>(tx)
}

/// Groups with that text in their names, those first whose name begins with it; or the one with that id.
pub fn groups(
    tx: &mut Tx<'_>,
    directory_id: &str,
    text: &str,
    limit: usize,
) -> Result<Vec<Group>, Refusal> {
    let Some(text) = wanted(text) else {
        return Ok(Vec::new());
    };
    let folded = fold(&text).into_owned();
    let mut found = Found::new(directory_id, limit);
    found.key(tx, GROUP_KEY, &text)?;
    found.beginning(tx, GROUP_BEGINS, &folded)?;
    found.having(tx, GROUP_HAS, &folded)?;
    found.read::<Groups>(tx)
}

fn wanted(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

/// Ids in the order in which they were found, each once.
struct Found<'a> {
    directory_id: &'a str,
    limit: usize,
    ids: Vec<String>,
}

impl<'a> Found<'a> {
    fn new(directory_id: &'a str, limit: usize) -> Self {
        Self {
            directory_id,
            limit,
            ids: Vec::new(),
        }
    }

    fn key(&mut self, tx: &mut Tx<'_>, sql: &str, key: &str) -> Result<(), Refusal> {
        self.add(tx, sql, &params![self.directory_id, key])
    }

    fn beginning(&mut self, tx: &mut Tx<'_>, sql: &str, text: &str) -> Result<(), Refusal> {
        // Whatever begins with the text sorts before it with the last character there is at its end.
        let end = format!("{text}{}", char::MAX);
        let most = self.most();
        self.add(tx, sql, &params![self.directory_id, text, &end, most])
    }

    fn having(&mut self, tx: &mut Tx<'_>, sql: &str, text: &str) -> Result<(), Refusal> {
        let pattern = format!("%{}%", escaped(text));
        let most = self.most();
        self.add(tx, sql, &params![self.directory_id, &pattern, most])
    }

    /// Those found already may be found again, so that as many as are wanted in all are asked for.
    fn most(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }

    fn add(&mut self, tx: &mut Tx<'_>, sql: &str, given: &[Param<'_>]) -> Result<(), Refusal> {
        if self.ids.len() >= self.limit {
            return Ok(());
        }
        for mut row in tx.query(sql, given)? {
            let id = row.take_text(0)?;
            if self.ids.len() < self.limit && !self.ids.contains(&id) {
                self.ids.push(id);
            }
        }
        Ok(())
    }

    fn read<K: Kind>(self, tx: &mut Tx<'_>) -> Result<Vec<K::Item>, Refusal> {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let mut items = HashMap::new();
        for chunk in ids.chunks(members::CHUNK) {
            let mut given = vec![Param::Text(self.directory_id)];
            let list = members::placeholders(chunk, &mut given);
            let sql = format!(
                "SELECT {} FROM {} t WHERE t.directory_id = $1 AND t.id IN ({list})",
                K::COLUMNS,
                K::TABLE
            );
            for row in tx.query(&sql, &given)? {
                let item = K::read(row)?;
                items.insert(K::id(&item).to_owned(), item);
            }
        }
        Ok(ids.iter().filter_map(|id| items.remove(*id)).collect())
    }
}

/// What means something in a pattern means itself.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
