//! Known answers, and the statistics of draws by every coordinate: byte frequencies, neighbour pairs,
//! correlation at a distance, and avalanche. The twin `rand_chacha` passes the same checks, and
//! generators with a known fault fail them.

#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "statistics of tests")]

use rand::Rng;
use rand::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

/// Every statistic is a distance from its mean in standard deviations, and stays below this one. Some
/// 35,000 are taken of fixed draws; a fair generator passes 5.5 once in 26 million.
const Z_MAX: f64 = 5.5;

/// Draws per sequence.
const DRAWS: u32 = 1 << 16;

/// Pairs of inputs per flipped bit.
const TRIALS: u64 = 256;

#[test]
fn known_answers() {
    // Random123 1.14, kat_vectors, philox2x64 10.
    let rows = [
        ([0, 0], 0, [0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5]),
        ([u64::MAX; 2], u64::MAX, [0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20]),
        (
            [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344],
            0xa409_3822_299f_31d0,
            [0x0a5e_742c_2997_341c, 0xb0f8_83d3_8000_de5d],
        ),
    ];
    for (counter, key, answer) in rows {
        assert_eq!(philox2x64_10(counter, key), answer);
    }
}

#[test]
fn every_coordinate_has_its_place() {
    let key = EntityKey::new("task", "web", 7);
    let (purpose, n, seed) = (Purpose::Terminate, 0x89ab_cdef, 0x1234_5678_9abc_def0);
    let expected = philox2x64_10([23 << 32 | 0x89ab_cdef, key.high()], seed ^ key.low())[0];
    assert_eq!(Luck::new(seed).draw(purpose, key, n), expected);
    assert_eq!(Draw::draw(&mut Luck::new(seed), purpose, key, n), expected);
}

#[test]
fn a_stream_is_the_draws_in_order() {
    let (luck, key) = (Luck::new(1), EntityKey::new("task", "web", 7));
    let draw = |n| luck.draw(Purpose::Life, key, n);
    let mut stream = luck.stream(Purpose::Life, key);
    assert_eq!(u64::from(stream.next_u32()), draw(0) >> 32);
    assert_eq!(stream.next_u64(), draw(1));
    let mut bytes = [0; 11];
    stream.fill_bytes(&mut bytes);
    assert_eq!(bytes[..8], draw(2).to_le_bytes());
    assert_eq!(bytes[8..], draw(3).to_le_bytes()[..3]);
    assert_eq!(stream.next_u64(), draw(4));
}

#[test]
fn draws_look_random_along_every_coordinate() {
    let web = EntityKey::new("task", "web", 0);
    let task = |n| EntityKey::new("task", "web", n);
    let luck = Luck::new(1);
    let purposes = [Purpose::Place, Purpose::StopChoice, Purpose::Backoff, Purpose::Arrival];
    check("n", |n| luck.draw(Purpose::Life, web, n));
    check("n of seed 0", |n| Luck::new(0).draw(Purpose::Place, web, n));
    check("ordinal", |n| luck.draw(Purpose::Life, task(u64::from(n)), 0));
    check("part", |n| luck.draw(Purpose::Life, web.part(u64::from(n)), 0));
    check("seed", |n| Luck::new(u64::from(n)).draw(Purpose::Life, web, 0));
    check("purpose, then n", |n| luck.draw(purposes[n as usize % 4], web, n / 4));
    check("ordinal, then n", |n| luck.draw(Purpose::Life, task(u64::from(n % 256)), n / 256));
}

#[test]
fn the_twin_looks_random() {
    let mut twin = ChaCha8Rng::seed_from_u64(1);
    check("chacha", |_| twin.next_u64());
    check("chacha by seed", |n| ChaCha8Rng::seed_from_u64(u64::from(n)).next_u64());
}

#[test]
fn every_bit_of_the_input_moves_every_bit_of_the_draw() {
    let luck = Luck::new(1);
    let web = EntityKey::new("task", "web", 0);
    check_avalanche("n", 32, |trial, flip| luck.draw(Purpose::Life, web, low(spread(trial) ^ flip)));
    check_avalanche("seed", 64, |trial, flip| Luck::new(spread(trial) ^ flip).draw(Purpose::Life, web, 0));
    check_avalanche("ordinal", 64, |trial, flip| {
        luck.draw(Purpose::Life, EntityKey::new("task", "web", trial ^ flip), 0)
    });
    check_avalanche("purpose and n", 48, |trial, flip| philox2x64_10([trial ^ flip, 0], 0)[0]);
    check_avalanche("high half of the key", 64, |trial, flip| philox2x64_10([0, trial ^ flip], 0)[0]);
    check_avalanche("low half of the key", 64, |trial, flip| philox2x64_10([0, 0], trial ^ flip)[0]);
}

#[test]
fn every_bit_of_the_input_moves_every_bit_of_the_twin() {
    check_avalanche("chacha", 64, |trial, flip| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(trial ^ flip).to_le_bytes());
        ChaCha8Rng::from_seed(seed).next_u64()
    });
}

/// What each check is there to notice, so that passing means something.
#[test]
fn faults_are_noticed() {
    let mut twin = ChaCha8Rng::seed_from_u64(1);
    let good: Vec<u64> = (0..DRAWS).map(|_| twin.next_u64()).collect();
    let shortened: Vec<u64> = good.iter().map(|draw| draw - (draw % 256) / 250).collect();
    assert!(bytes_z(&shortened) > Z_MAX, "bytes 250 to 255 a little rarer");
    let repeated = |every: usize, back: usize| {
        let from = |i: usize| if i.is_multiple_of(every) { i.saturating_sub(back) } else { i };
        (0..good.len()).map(|i| good[from(i)]).collect::<Vec<u64>>()
    };
    let neighbours = repeated(32, 1);
    assert!(bytes_z(&neighbours) < Z_MAX && pairs_z(&neighbours) > Z_MAX, "one in 32 is the last again");
    let echo = repeated(32, 13);
    assert!(pairs_z(&echo) < Z_MAX && lags_z(&echo) > Z_MAX, "one in 32 is the thirteenth before again");
    let lazy = |trial: u64, flip: u64| spread((trial ^ flip) & !1 | trial & 1);
    assert!(avalanche_z(64, lazy) > Z_MAX, "one bit moves nothing");
}

fn check(name: &str, draw: impl FnMut(u32) -> u64) {
    let draws: Vec<u64> = (0..DRAWS).map(draw).collect();
    for (check, z) in [("bytes", bytes_z(&draws)), ("pairs", pairs_z(&draws)), ("lags", lags_z(&draws))] {
        assert!(z < Z_MAX, "{check} of draws by {name}: {z} standard deviations");
    }
}

fn check_avalanche(name: &str, bits: u32, draw: impl Fn(u64, u64) -> u64) {
    let z = avalanche_z(bits, draw);
    assert!(z < Z_MAX, "avalanche of {name}: {z} standard deviations");
}

/// Frequencies of the values of each of the eight bytes.
fn bytes_z(draws: &[u64]) -> f64 {
    worst((0..8).map(|byte| chi_square_z(draws.iter().map(|draw| draw.to_le_bytes()[byte]))))
}

/// Frequencies of neighbours: four bits of a draw with the same four of the next, for each four.
fn pairs_z(draws: &[u64]) -> f64 {
    let four = |draw: u64, shift: u32| (draw >> shift).to_le_bytes()[0] & 15;
    let pairs = |shift| draws.windows(2).map(move |pair| four(pair[0], shift) << 4 | four(pair[1], shift));
    worst((0..16).map(|four| chi_square_z(pairs(4 * four))))
}

/// Correlation of draws with those 1 to 64 later.
fn lags_z(draws: &[u64]) -> f64 {
    let centred: Vec<f64> = draws.iter().map(|&draw| draw as f64 / u64::MAX as f64 - 0.5).collect();
    worst((1..=64).map(|lag| {
        let products = centred.iter().zip(&centred[lag..]).map(|(one, other)| one * other);
        // A product of two independent centred uniforms has variance 1/144.
        products.sum::<f64>() * 12.0 / libm::sqrt((draws.len() - lag) as f64)
    }))
}

/// How often each bit of the answer changes with each bit of the input.
fn avalanche_z(bits: u32, draw: impl Fn(u64, u64) -> u64) -> f64 {
    let mut changes = vec![[0_u32; 64]; bits as usize];
    for (bit, row) in changes.iter_mut().enumerate() {
        for trial in 0..TRIALS {
            let moved = draw(trial, 0) ^ draw(trial, 1 << bit);
            for (place, count) in row.iter_mut().enumerate() {
                *count += u32::from(moved >> place & 1 == 1);
            }
        }
    }
    let (mean, deviation) = (TRIALS as f64 / 2.0, libm::sqrt(TRIALS as f64) / 2.0);
    worst(changes.into_iter().flatten().map(|count| (f64::from(count) - mean) / deviation))
}

/// The chi-square statistic of bytes that should be equally frequent, as a distance from its mean.
fn chi_square_z(bytes: impl Iterator<Item = u8>) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    let squares = counts.iter().map(|&count| (f64::from(count) - expected) * (f64::from(count) - expected));
    (squares.sum::<f64>() / expected - 255.0) / libm::sqrt(2.0 * 255.0)
}

fn worst(distances: impl Iterator<Item = f64>) -> f64 {
    distances.map(f64::abs).fold(0.0, f64::max)
}

/// A different word for every trial, with bits everywhere.
fn spread(trial: u64) -> u64 {
    philox2x64_10([trial, 0], 0)[1]
}

fn low(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).expect("32 bits are left")
}
