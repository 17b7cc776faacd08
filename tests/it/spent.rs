//! Money over time ends at the bill: two books of the same run, kept apart.

use std::path::Path;

use crate::tool::{good, scratch, text};

/// A column of numbers of a csv file.
fn column(file: &Path, name: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(file).expect("a csv file");
    let at =
        reader.headers().expect("a header").iter().position(|column| column == name).expect("the column");
    reader.records().map(|row| row.expect("a row")[at].parse().expect("a number")).collect()
}

#[test]
fn what_is_spent_grows_up_to_the_bill() {
    for (scenario, platform) in
        [("one-task", "ec2"), ("first-flight", "ecs-ec2"), ("first-flight", "ecs-fargate")]
    {
        let folder = scratch();
        let asked = ["--platform", platform, "--replications", "1", "--quiet", "--out", text(folder.path())];
        good(&[&["run", &format!("scenarios/{scenario}")], asked.as_slice()].concat());
        let spent = column(&folder.path().join(platform).join("timeseries.csv"), "spent_usd");
        let bill: f64 = column(&folder.path().join(platform).join("bill.csv"), "amount_usd").iter().sum();
        assert!(spent.is_sorted(), "{platform}");
        // Values over time have four decimals; minimum charges are left to the bill, and few here.
        let missing = bill - spent.last().expect("points");
        assert!(missing > -0.000_1 && missing < bill * 0.01 + 0.000_1, "{scenario} {platform}: {missing}");
    }
}
