//! Good rows, bad rows and bad files of every format; what a replay makes of them.

use std::io::Write;

use super::*;
use crate::base::EntityKey;
use crate::engine::Luck;

const VMS: &str = "arrival_s,deployment_id,vcpu,memory_gb,lifetime_min_s,lifetime_max_s,alive_at_end,vms\n";
const JOBS: &str = "job_id,arrival_s,duration_s,cpus,requested_s,user_id,group_id,site_id\n";
const CONTAINERS: &str = "instance_id,role,app_id,cpu,memory_gib,gpu,rdma_pct,disk_gib,\
                          max_instances_per_node,creation_s,scheduled_s,deletion_s\n";
const RATE: &str = "minute,requests\n";

fn per_minute() -> Format {
    let (unit, interval) = (Span::minutes(1), Span::minutes(1));
    Format::Rate(RateColumns { time: "minute".to_owned(), unit, interval, value: "requests".to_owned() })
}

/// The rows of a text: each as `at count×cpu memory gpus lifetime`, or `line: fault`.
fn read(format: &Format, text: &[u8]) -> Vec<String> {
    let mut rows = match Rows::open(&text.to_vec(), &Shape::of(format.clone())) {
        Ok(rows) => rows,
        Err(fault) => return vec![format!("{}: {:?} {}", fault.line, fault.kind, fault.message)],
    };
    let mut found = Vec::new();
    loop {
        match rows.next_row() {
            Ok(None) => return found,
            Ok(Some(Entry { at, demand })) => found.push(format!("{at} {}", told(demand))),
            Err(fault) if fault.kind == FaultKind::Row => {
                found.push(format!("{}: {}", fault.line, fault.message));
            }
            Err(fault) => {
                found.push(format!("{}: {:?} {}", fault.line, fault.kind, fault.message));
                return found;
            }
        }
    }
}

fn told(demand: Demand) -> String {
    let or = |text: Option<String>| text.unwrap_or("-".to_owned());
    match demand {
        Demand::Requests { count, during } => format!("{count} in {during}"),
        Demand::Tasks { count, size, lifetime } => format!(
            "{count}× {} {} {} {}",
            or(size.cpu.map(|cpu| cpu.to_string())),
            or(size.memory.map(|memory| memory.to_string())),
            or(size.gpus.map(|gpus| gpus.to_string())),
            match lifetime {
                Lifetime::Between(min, max) => format!("{min}..{max}"),
                Lifetime::Endless => "endless".to_owned(),
                Lifetime::Unknown => "unknown".to_owned(),
            }
        ),
    }
}

/// Each row after the header, and what becomes of it.
fn check(format: &Format, header: &str, rows: &[(&str, &str)]) {
    for (row, expected) in rows {
        assert_eq!(read(format, format!("{header}{row}").as_bytes()), [*expected], "{row}");
    }
}

#[test]
fn machines_are_read_and_refused() {
    check(
        &Format::AzureVm,
        VMS,
        &[
            ("0,0,8,14,900,1200,0,3\n", "0s 3× 8 vCPU 14 GiB - 15m00s..20m00s"),
            ("300,1,1,1.75,68700,72000,1,4", "5m00s 4× 1 vCPU 1.75 GiB - endless"),
            ("300,1,1,0.001,0,0,0,1\r\n", "5m00s 1× 1 vCPU 2 MiB - 0s..0s"),
            (" 7 ,x, 1 ,2, 1 ,2, 0 , 1 \n", "7s 1× 1 vCPU 2 GiB - 1s..2s"),
            ("\"7\",\"a,b\",1,2,1,2,0,1\n", "7s 1× 1 vCPU 2 GiB - 1s..2s"),
            ("0,0,8,14,900,1200,0\n", "2: 7 cells stand where the header has 8"),
            ("0,0,8,14,900,1200,0,3,4\n", "2: 9 cells stand where the header has 8"),
            ("x,0,8,14,900,1200,0,3\n", "2: arrival_s is \"x\", a whole number is wanted"),
            ("-1,0,8,14,900,1200,0,3\n", "2: arrival_s is \"-1\", a whole number is wanted"),
            ("1.5,0,8,14,900,1200,0,3\n", "2: arrival_s is \"1.5\", a whole number is wanted"),
            (",0,8,14,900,1200,0,3\n", "2: arrival_s is empty, a whole number is wanted"),
            ("99999999999,0,8,14,1,2,0,3\n", "2: arrival_s is 99999999999, more than 3162240000"),
            (
                "99999999999999999999,0,8,14,1,2,0,3\n",
                "2: arrival_s is \"99999999999999999999\", a whole number is wanted",
            ),
            ("0,0,0,14,900,1200,0,3\n", "2: vcpu is 0"),
            ("0,0,8,0,900,1200,0,3\n", "2: memory_gb is 0"),
            ("0,0,8,1e3,900,1200,0,3\n", "2: memory_gb is \"1e3\", a number of GiB is wanted"),
            ("0,0,8,1.2345,900,1200,0,3\n", "2: memory_gb is \"1.2345\", a number of GiB is wanted"),
            ("0,0,8,1.,900,1200,0,3\n", "2: memory_gb is \"1.\", a number of GiB is wanted"),
            ("0,0,8,9999999,900,1200,0,3\n", "2: memory_gb is more than 1048576 GiB"),
            ("0,0,8,14,1201,1200,0,3\n", "2: lifetime_min_s is above lifetime_max_s"),
            ("0,0,8,14,900,1200,yes,3\n", "2: alive_at_end is \"yes\", 0 or 1 is wanted"),
            ("0,0,8,14,900,1200,0,0\n", "2: vms is 0"),
            ("0,0,8,14,900,1200,0,1000001\n", "2: vms is 1000001, more than 1000000"),
        ],
    );
}

#[test]
fn jobs_are_read_and_refused() {
    check(
        &Format::LcgJob,
        JOBS,
        &[
            ("1,0,83,1,1200,1,1,1\n", "0s 1× 1 vCPU - - 1m23s..1m23s"),
            ("2,3,0,16,,,,\n", "3s 1× 16 vCPU - - 0s..0s"),
            ("1,0,83\n", "2: 3 cells stand where the header has 8"),
            ("1,,83,1,1200,1,1,1\n", "2: arrival_s is empty, a whole number is wanted"),
            ("1,0,-1,1,1200,1,1,1\n", "2: duration_s is \"-1\", a whole number is wanted"),
            ("1,0,,1,1200,1,1,1\n", "2: duration_s is empty, a whole number is wanted"),
            ("1,0,83,0,1200,1,1,1\n", "2: cpus is 0"),
            ("1,0,83,5000,1200,1,1,1\n", "2: cpus is 5000, more than 4096"),
            ("1,0,83,one,1200,1,1,1\n", "2: cpus is \"one\", a whole number is wanted"),
            ("1,0,0x10,1,1200,1,1,1\n", "2: duration_s is \"0x10\", a whole number is wanted"),
            ("1,0,4000000000,1,1200,1,1,1\n", "2: duration_s is 4000000000, more than 3162240000"),
        ],
    );
}

#[test]
fn containers_are_read_and_refused() {
    check(
        &Format::DlrmContainer,
        CONTAINERS,
        &[
            ("0,HN,0,12,120,1,25,640,8,,,\n", "0s 1× 12 vCPU 120 GiB 1 endless"),
            ("0,CN,0,192,937.5,0,25,640,-1,10,15,75\n", "10s 1× 192 vCPU 937.5 GiB 0 1m00s..1m00s"),
            ("0,CN,0,8,16,0,25,640,-1,,,75\n", "0s 1× 8 vCPU 16 GiB 0 1m15s..1m15s"),
            ("0,CN,0,8,16,0,25,640,-1,10,,75\n", "10s 1× 8 vCPU 16 GiB 0 1m05s..1m05s"),
            ("0,CN,0,8,16,0,25,640,-1,10,9,75\n", "2: scheduled_s is before creation_s"),
            ("0,CN,0,8,16,0,25,640,-1,10,15,14\n", "2: deletion_s is before scheduled_s"),
            ("0,CN,0,0,16,0,25,640,-1,10,15,75\n", "2: cpu is 0"),
            ("0,CN,0,8,,0,25,640,-1,10,15,75\n", "2: memory_gib is empty, a number of GiB is wanted"),
            ("0,CN,0,8,16,,25,640,-1,10,15,75\n", "2: gpu is empty, a whole number is wanted"),
            ("0,CN,0,8,16,65,25,640,-1,10,15,75\n", "2: gpu is 65, more than 64"),
            ("0,CN,0,8,16,0.5,25,640,-1,10,15,75\n", "2: gpu is \"0.5\", a whole number is wanted"),
            ("0,CN,0,8,16,0,25,640,-1,soon,15,75\n", "2: creation_s is \"soon\", a whole number is wanted"),
            ("0,CN,0,8,16,0\n", "2: 6 cells stand where the header has 12"),
        ],
    );
}

#[test]
fn rates_are_read_and_refused() {
    check(
        &per_minute(),
        RATE,
        &[
            ("7,229426\n", "0s 229426 in 1m00s"),
            ("0,0\n", "0s 0 in 1m00s"),
            ("1,2,3\n", "2: 3 cells stand where the header has 2"),
            ("1\n", "2: 1 cells stand where the header has 2"),
            (",2\n", "2: minute is empty, a whole number is wanted"),
            ("noon,2\n", "2: minute is \"noon\", a whole number is wanted"),
            ("1,-2\n", "2: requests is \"-2\", a whole number is wanted"),
            ("1,2.5\n", "2: requests is \"2.5\", a whole number is wanted"),
            ("1,1099511627777\n", "2: requests is 1099511627777, more than 1099511627776"),
            ("68719476736,1\n", "2: minute is 68719476736 times 1m00s, which is too late"),
            ("99999999999,1\n", "2: minute is 99999999999, more than 68719476736"),
        ],
    );
}

#[test]
fn rows_keep_their_order() {
    let rows = "1,10,1,1,,,,\n2,10,1,1,,,,\n3,9,1,1,,,,\n4,11,1,1,,,,\n";
    let expected = [
        "10s 1× 1 vCPU - - 1s..1s",
        "10s 1× 1 vCPU - - 1s..1s",
        "4: the time is before that of an earlier row by 1s",
        "11s 1× 1 vCPU - - 1s..1s",
    ];
    assert_eq!(read(&Format::LcgJob, format!("{JOBS}{rows}").as_bytes()), expected);
    let overlapping = read(&per_minute(), format!("{RATE}5,1\n5,1\n7,1\n4,1\n").as_bytes());
    let expected = [
        "0s 1 in 1m00s",
        "3: the time is before that of an earlier row by 1m00s",
        "2m00s 1 in 1m00s",
        "5: the time is before that of the first row",
    ];
    assert_eq!(overlapping, expected);
}

#[test]
fn files_that_are_no_tables_are_refused_in_bounded_memory() {
    let good = format!("{JOBS}1,0,83,1,1200,1,1,1\n");
    let packed = gzip(good.repeat(50).as_bytes());
    let nothing = "1: Header it is empty";
    let no_column = |found: &str| {
        format!(
            "1: Header there is no column \"arrival_s\" (lcg-job reads arrival_s, duration_s, cpus); \
             found: {found}"
        )
    };
    let rows: [(&str, Vec<u8>, String); 8] = [
        ("empty", Vec::new(), nothing.to_owned()),
        ("empty, compressed", gzip(b""), nothing.to_owned()),
        ("blank", b"\n\n\n".to_vec(), nothing.to_owned()),
        ("another table", b"a,b\n1,2\n".to_vec(), no_column("a, b")),
        ("binary", vec![0, 159, 146, 150, 44, 7], no_column("\\0\u{fffd}\u{fffd}\u{fffd}, \\u{7}")),
        ("no gzip after all", vec![0x1f, 0x8b, 7, 7, 7], "1: Broken".to_owned()),
        (
            "cut off",
            packed[..packed.len() / 2].to_vec(),
            "Broken the compressed data ends too early".to_owned(),
        ),
        ("no end of line", vec![b'a'; 1 << 20], "1: Broken a row is longer than 64 KiB".to_owned()),
    ];
    for (name, bytes, expected) in rows {
        let found = read(&Format::LcgJob, &bytes);
        let last = found.last().expect("a fault");
        assert!(last.contains(&expected), "{name}: {last}");
    }
    // A bomb: 32 MiB of quotes in a few KiB, never held.
    let bomb = gzip_of(JOBS.as_bytes(), std::iter::repeat_n(&*vec![b'"'; 1 << 20], 1 << 5));
    assert_eq!(read(&Format::LcgJob, &bomb), ["2: Broken a row is longer than 64 KiB"]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_of(bytes, std::iter::empty())
}

fn gzip_of<'a>(first: &[u8], rest: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut into = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    into.write_all(first).expect("memory takes all");
    rest.for_each(|bytes| into.write_all(bytes).expect("memory takes all"));
    into.finish().expect("memory takes all")
}

proptest::proptest! {
    /// Whatever stands below a good header, reading ends and counts every line that it refuses.
    #[test]
    fn no_text_breaks_a_reader(text in "[0-9a-z,.\"\r\n -]{0,200}", bytes in proptest::collection::vec(0_u8.., 0..99)) {
        let formats = [Format::AzureVm, Format::LcgJob, Format::DlrmContainer, per_minute()];
        for (format, header) in formats.into_iter().zip([VMS, JOBS, CONTAINERS, RATE]) {
            for below in [text.as_bytes(), &bytes] {
                let all = [header.as_bytes(), below].concat();
                if let Ok(pass) = scan(&all, &Shape::of(format.clone()), Span::HOUR) {
                    proptest::prop_assert!(pass.bad + pass.rows <= 1 + below.len() as u64);
                }
            }
        }
    }
}

#[test]
fn a_pass_adds_up_what_was_chosen() {
    let rows = "0,CN,0,8,16,0,1,1,-1,,,\n1,HN,0,8,16,1,1,1,-1,5,5,9\n2,HN,0,8,16,1,1,1,-1,7,7,9\n\
                3,HN,0,bad,16,1,1,1,-1,7,7,9\n4,HN,0,8,32,1,1,1,-1,70,70,\n";
    let text = format!("{CONTAINERS}{rows}").into_bytes();
    let only = vec![("role".to_owned(), "HN".to_owned())];
    let shape = Shape { format: Format::DlrmContainer, only, skip: Span::seconds(6) };
    let pass = scan(&text, &shape, Span::seconds(60)).expect("readable");
    let figures = (pass.rows, pass.tasks, pass.passed_over, pass.bad, pass.late, pass.sizes.len());
    assert_eq!(figures, (2, 2, 2, 1, 1, 2));
    assert_eq!((pass.last, pass.faults[0].line), (Span::seconds(64), 5));
    let again = scan(&gzip(&text), &shape, Span::seconds(60)).expect("readable");
    assert_eq!(again, pass, "compressed or not makes no difference");
    let mut other = text;
    *other.last_mut().expect("a byte") = b' ';
    assert_ne!(scan(&other, &shape, Span::seconds(60)).expect("readable").hash, pass.hash);
    let unknown = Shape { only: vec![("rôle".to_owned(), "HN".to_owned())], ..shape };
    let fault = scan(&other, &unknown, Span::HOUR).expect_err("no such column");
    assert_eq!(fault.kind, FaultKind::Header);
}

fn replay(text: &[u8], format: Format, pace: &Pace) -> Vec<Arrived> {
    let (text, shape) = (text.to_vec(), Shape::of(format));
    let hash = scan(&text, &shape, Span::HOUR).expect("readable").hash;
    let key = EntityKey::new("trace", "x", 0);
    let mut playback = Playback::open(&text, &shape, &hash, pace, key).expect("readable");
    let luck = Luck::new(1);
    std::iter::from_fn(|| playback.next_arrival(&luck).expect("unchanged")).collect()
}

#[test]
fn requests_become_tasks_at_their_rate() {
    let text = format!("{RATE}0,25\n1,0\n2,5\n3,30\n9,4\n");
    let found = replay(text.as_bytes(), per_minute(), &Pace::even(10));
    let seconds: Vec<u64> = found.iter().map(|each| each.at.as_nanos() / 1_000_000_000).collect();
    // 10, 20 of 25 in the first minute; the other 5 and the 5 of the third; 10, 20, 30 of the fourth.
    assert_eq!(seconds, [24, 48, 179, 200, 220, 239]);
    let busy =
        (0..5000).fold(RATE.to_owned(), |rows, minute| rows + &format!("{minute},{}\n", minute % 3 * 20));
    let drawn = replay(busy.as_bytes(), per_minute(), &Pace::poisson(4));
    assert!(drawn.is_sorted_by_key(|each| each.at));
    let mean = 5000_u64 * 20 / 4;
    let found = drawn.len() as u64;
    assert!(found.abs_diff(mean) <= 5 * mean.isqrt(), "{found} tasks instead of {mean}");
    let quiet = |each: &&Arrived| (each.at.as_nanos() / 60_000_000_000).is_multiple_of(3);
    assert_eq!(drawn.iter().filter(quiet).count(), 0, "nothing arrives while there are no requests");
}

#[test]
fn a_replay_notices_another_trace() {
    let (text, shape) = (format!("{JOBS}1,0,83,1,1200,1,1,1\n").into_bytes(), Shape::of(Format::LcgJob));
    let key = EntityKey::new("trace", "x", 0);
    let mut playback = Playback::open(&text, &shape, "another", &Pace::even(1), key).expect("readable");
    assert!(playback.next_arrival(&Luck::new(1)).expect("a row").is_some());
    let fault = playback.next_arrival(&Luck::new(1)).expect_err("another hash");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (FaultKind::Broken, "is not what it was at the first look")
    );
}
