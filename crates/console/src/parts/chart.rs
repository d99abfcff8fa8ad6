//! Charts: bars over time, drawn as SVG, with the numbers in a table beside them.

use askama::Template;

use super::{Count, Tone, markup};

/// Stacked bars, one for each hour or day.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/chart.html")]
pub struct Chart {
    /// Unique on the page.
    pub id: &'static str,
    /// What it shows: "Changes by your provider".
    pub title: String,
    /// Since when: "Last 14 days".
    pub period: &'static str,
    /// What is counted, the lowest first.
    pub series: Vec<Series>,
    /// The bars, the oldest first.
    pub bars: Vec<Bar>,
}

/// One of the things that are counted.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is.
    pub label: &'static str,
    /// Its colour.
    pub tone: Tone,
}

/// One hour or day.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Which one: "22 Nov".
    pub label: String,
    /// How many of each of the series.
    pub values: Vec<u64>,
}

/// A bar as it is drawn.
struct Drawn {
    /// What it says when the pointer is on it.
    says: String,
    /// Where it begins.
    x: usize,
    pieces: Vec<Piece>,
}

/// A piece of a bar, in units of the drawing.
struct Piece {
    tone: Tone,
    x: usize,
    y: u64,
    width: usize,
    height: u64,
}

/// The size of the drawing in its own units; the page gives it the width that there is.
const WIDTH: usize = 560;
const HEIGHT: u64 = 120;

impl Bar {
    fn total(&self) -> u64 {
        self.values.iter().sum()
    }

    fn counts(&self) -> impl Iterator<Item = Count> {
        self.values.iter().copied().map(Count)
    }
}

impl Chart {
    fn total(&self) -> Count {
        Count(self.bars.iter().map(Bar::total).sum())
    }

    fn is_empty(&self) -> bool {
        self.total() == Count(0)
    }

    /// Each of the series with how many there were of it.
    fn legend(&self) -> impl Iterator<Item = (&Series, Count)> {
        self.series.iter().enumerate().map(|(index, series)| {
            let values = self.bars.iter().filter_map(|bar| bar.values.get(index));
            (series, Count(values.sum()))
        })
    }

    /// The top of the scale: the highest bar, rounded up to an even number of one or two digits.
    fn top(&self) -> Count {
        let highest = self.bars.iter().map(Bar::total).max().unwrap_or(0).max(4);
        let mut unit = 1;
        while highest / unit >= 20 {
            unit *= 10;
        }
        Count(highest.div_ceil(2 * unit) * 2 * unit)
    }

    fn step(&self) -> usize {
        WIDTH / self.bars.len().max(1)
    }

    fn width(&self) -> usize {
        self.step() * self.bars.len().max(1)
    }

    fn drawn(&self) -> Vec<Drawn> {
        let (top, step) = (self.top().0, self.step());
        let bars = self.bars.iter().enumerate();
        let draw = |(index, bar): (usize, &Bar)| Drawn {
            says: self.says(bar),
            x: index * step,
            pieces: self.pieces(bar, index * step + step / 8, top),
        };
        bars.map(draw).collect()
    }

    /// What is drawn of a bar, from the bottom up.
    fn pieces(&self, bar: &Bar, x: usize, top: u64) -> Vec<Piece> {
        let width = (self.step() - self.step() / 4).max(1);
        let mut y = HEIGHT;
        let mut pieces = Vec::new();
        for (series, height) in self.series.iter().zip(heights(&bar.values, top)) {
            if height == 0 {
                continue;
            }
            y = y.saturating_sub(height);
            pieces.push(Piece {
                tone: series.tone,
                x,
                y,
                width,
                height,
            });
        }
        pieces
    }

    fn says(&self, bar: &Bar) -> String {
        let parts = self.series.iter().zip(&bar.values);
        let parts = parts.filter(|(_, value)| **value > 0);
        let parts: Vec<String> = parts
            .map(|(series, value)| format!("{} {}", Count(*value), series.label))
            .collect();
        match parts.is_empty() {
            true => format!("{}: nothing", bar.label),
            false => format!("{}: {}", bar.label, parts.join(", ")),
        }
    }
}

/// How high each value is drawn. What is not nothing is seen, at the cost of the highest.
fn heights(values: &[u64], top: u64) -> Vec<u64> {
    let scaled = |value: u64| u128::from(value) * u128::from(HEIGHT) / u128::from(top.max(1));
    let height = |&value: &u64| match value {
        0 => 0,
        value => u64::try_from(scaled(value)).unwrap_or(HEIGHT).max(2),
    };
    let mut heights: Vec<u64> = values.iter().map(height).collect();
    let excess = heights.iter().sum::<u64>().saturating_sub(HEIGHT);
    if let Some(highest) = heights.iter_mut().max() {
        *highest = highest.saturating_sub(excess);
    }
    heights
}

markup!(Chart);
