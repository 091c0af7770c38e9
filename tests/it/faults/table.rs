//! The table that the suite prints.

use std::sync::Mutex;

use super::shops::TRANSPORTS;

/// The results of one kind of fault.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub name: String,
    /// Number of applies.
    pub runs: usize,
    /// Number of judged changes.
    pub changes: usize,
    /// Wanted subscriptions that are not there in the end.
    pub lost: usize,
    /// Managed subscriptions that are there and not wanted.
    pub doubled: usize,
    /// Subscriptions outside the ownership rule that a run changed or removed.
    pub foreign: usize,
    /// Number of wrong outcomes, counts and exit codes.
    pub wrong: usize,
    /// Descriptions of the errors.
    pub said: Vec<String>,
}

impl Row {
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.changes += other.changes;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.foreign += other.foreign;
        self.wrong += other.wrong;
        self.said.extend(other.said.iter().cloned());
    }

    #[track_caller]
    pub fn is_clean(&self) {
        assert!(
            self.lost + self.doubled + self.foreign + self.wrong == 0 && self.said.is_empty(),
            "{}: {} lost, {} doubled, {} foreign touched, {} wrong\n{}",
            self.name,
            self.lost,
            self.doubled,
            self.foreign,
            self.wrong,
            self.said.join("\n")
        );
    }
}

/// How often rows are brought: by two tests at once, by four for each transport.
const TIMES: usize = 2 + 4 * TRANSPORTS.len();

static ROWS: Mutex<Vec<(usize, Vec<Row>)>> = Mutex::new(Vec::new());

/// Takes the rows of a test at its place; with the last one the table is printed.
pub fn print(place: usize, rows: &[Row]) {
    let mut all = ROWS.lock().unwrap();
    all.push((place, rows.to_vec()));
    if all.len() < TIMES {
        return;
    }
    all.sort_by_key(|(place, _)| *place);
    let mut text = format!(
        "\n{:44} {:>5} {:>8} {:>5} {:>8} {:>16} {:>15}\n",
        "faults", "runs", "changes", "lost", "doubled", "foreign touched", "wrong outcomes"
    );
    let mut total = Row { name: "all".into(), ..Row::default() };
    let line = |row: &Row| {
        let Row { name, runs, changes, lost, doubled, foreign, wrong, said: _ } = row;
        format!("{name:44} {runs:>5} {changes:>8} {lost:>5} {doubled:>8} {foreign:>16} {wrong:>15}\n")
    };
    // One line for each trouble, over every transport.
    let mut merged: Vec<Row> = Vec::new();
    for row in all.iter().flat_map(|(_, rows)| rows) {
        total.add(row);
        match merged.iter_mut().find(|known| known.name == row.name) {
            Some(known) => known.add(row),
            None => merged.push(row.clone()),
        }
    }
    for row in &merged {
        text.push_str(&line(row));
    }
    text.push_str(&line(&total));
    println!("{text}");
    all.clear();
}
