//! Numbers of accounts, from the team's pool or from a provider. Whoever takes one locks the pool's row until the end of the
//! transaction, so that no two get the same.

use super::pool_of;
use crate::Refusal;
use portreeve_access::posix::{NumberError, Pool, check_number};
use portreeve_store::{Row, Tx, params, statements};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

statements! {
    BEGIN = "INSERT INTO posix_pools (team_id, first, last, next, position, swept) VALUES ($1, $2, $3, $4, 0, '') ON CONFLICT (team_id) DO NOTHING";
    LOCK = "UPDATE posix_pools SET next = next WHERE team_id = $1 RETURNING first, last, next";
    MOVE = "UPDATE posix_pools SET first = $2, last = $3, next = $4 WHERE team_id = $1";
    FROM = "SELECT number FROM posix_numbers WHERE team_id = $1 AND number >= $2 ORDER BY number LIMIT $3";
    ONE = "SELECT 1 FROM posix_numbers WHERE team_id = $1 AND number = $2";
    INSERT = "INSERT INTO posix_numbers (team_id, number) VALUES ($1, $2)";
}

/// Where numbers come from once the first pool is empty: above those of containers, where systemd leaves everything to
/// others, and below what programs take for negative.
const SECOND: RangeInclusive<u32> = 1_879_048_192..=2_147_483_646;

/// How many numbers that were imported are looked at, at once.
const STRETCH: usize = 64;

/// Makes the pool of a team that has none.
pub(super) fn begin(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    let pool = Pool::default();
    let (first, last) = (i64::from(*pool.range.start()), i64::from(*pool.range.end()));
    let row = params![team_id, first, last, i64::from(pool.next)];
    Ok(tx.exec(BEGIN, &row)?)
}

/// All numbers that are ever given without anybody sending them.
pub(crate) fn whole() -> RangeInclusive<u32> {
    *Pool::default().range.start()..=*SECOND.end()
}

/// Takes the next number that nobody has or had.
pub(crate) fn give(tx: &mut Tx<'_>, team_id: &str) -> Result<u32, Refusal> {
    let mut pool = lock(tx, team_id)?;
    let number = loop {
        let most = i64::try_from(STRETCH).unwrap_or(i64::MAX);
        let rows = tx.query(FROM, &params![team_id, i64::from(pool.next), most])?;
        let given: BTreeSet<u32> = rows
            .iter()
            .map(|row| of(row, 0))
            .collect::<Result<_, _>>()?;
        let number = match pool.give(&given) {
            Ok(number) => number,
            Err(NumberError::Exhausted) if pool.range != SECOND => {
                pool = Pool {
                    next: *SECOND.start(),
                    range: SECOND,
                };
                continue;
            }
            Err(error) => return Err(refused(error)),
        };
        // Beyond those that were looked at, there may be more.
        if given.len() < STRETCH || given.last().is_some_and(|last| number < *last) {
            break number;
        }
        pool.next = number;
    };
    let (first, last) = (i64::from(*pool.range.start()), i64::from(*pool.range.end()));
    tx.exec(MOVE, &params![team_id, first, last, i64::from(pool.next)])?;
    tx.exec(INSERT, &params![team_id, i64::from(number)])?;
    Ok(number)
}

/// Takes a number that a provider sends, or says why it cannot be taken.
pub(super) fn import(
    tx: &mut Tx<'_>,
    team_id: &str,
    number: i64,
) -> Result<Result<u32, NumberError>, Refusal> {
    // What is no number of an account is none that systems leave free either.
    let nearest = if number < 0 { 0 } else { u32::MAX };
    let number = u32::try_from(number).unwrap_or(nearest);
    lock(tx, team_id)?;
    let given = tx.query_one(ONE, &params![team_id, i64::from(number)])?;
    if let Err(problem) = check_number(number, given.is_some()) {
        return Ok(Err(problem));
    }
    tx.exec(INSERT, &params![team_id, i64::from(number)])?;
    Ok(Ok(number))
}

/// A number that was written.
pub(crate) fn of(row: &Row, column: usize) -> Result<u32, Refusal> {
    u32::try_from(row.int(column)?).map_err(|error| {
        Refusal::Store(portreeve_store::Error::Failed(format!(
            "the number of an account cannot be read: {error}; restore the database from a backup"
        )))
    })
}

fn lock(tx: &mut Tx<'_>, team_id: &str) -> Result<Pool, Refusal> {
    begin(tx, team_id)?;
    match tx.query_one(LOCK, &params![team_id])? {
        Some(row) => pool_of(&row),
        None => Ok(Pool::default()),
    }
}

fn refused(error: NumberError) -> Refusal {
    Refusal::Invalid {
        attribute: "uid",
        reason: error.to_string(),
    }
}
