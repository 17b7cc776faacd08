#!/usr/bin/env python3
"""Makes the compact tables of this folder from the original data sets.

Usage: python3 data/make.py ORIGINALS [INTO]

ORIGINALS is the folder with ec2_instance_types.csv, ec2_prices.csv and so on (see NOTICE for where each
comes from); INTO is this folder unless given. The tables have no quotes and no commas inside a cell, so
that a reader may split at commas; lines that start with `#` say source, date and licence.
"""

import csv
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
MOTO = "EC2 DescribeInstanceTypes and DescribeInstanceTypeOfferings as stored in moto 5.2.5 (2026-10), Apache-2.0"

# f1 is retired and its network bandwidth, which every pull needs, is not known.
LEFT_OUT_FAMILIES = {"f1"}
# Which letter of a zone name is which zone id number; everywhere else a=1, b=2, c=3 and so on.
ZONE_LETTERS = {"us-east-1": {1: "a", 2: "b", 4: "c", 5: "d", 6: "e", 3: "f"}}
BASIS = {"listed": "L", "estimated": "E", "assumed": "A"}
FARGATE_DATES = {"fgcalc": "2021-01", "pages": "2026-04", "vantage": "2024-01-01"}
SETTING_SECTIONS = {
    "EC2 instance launch", "ECS on EC2", "Fargate", "Images and pulls", "Failures",
    "Load balancer, application, shutdown",
}
SETTING_DISTRIBUTIONS = {"const", "lognormal", "uniform", "exponential", "bernoulli"}


def read(folder, name):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(folder, name, comments, header, rows):
    with open(folder / name, "w", newline="\n", encoding="utf-8") as file:
        file.writelines(f"# {line}\n" for line in comments)
        for cells in [header, *rows]:
            assert len(cells) == len(header), cells
            assert not any(set(cell) & {",", '"', "\n"} for cell in cells), cells
            file.write(",".join(cells) + "\n")


def plain(text):
    """Free text for a cell: no commas, no quotes, no parentheses' content lost."""
    return re.sub(r"\s+", " ", text.replace(",", ";").replace('"', "'")).strip()


def instance_types(originals):
    rows = read(originals, "ec2_instance_types.csv")
    return [row for row in rows if row["family"] not in LEFT_OUT_FAMILIES]


def measured_points(originals):
    """Per type: the first row, the first row of ECS, the first row of EKS."""
    points = {}
    for row in read(originals, "os_visible_memory.csv"):
        point = points.setdefault(row["instance_type"], {"first": row["visible_kib"]})
        point.setdefault(row["orchestrator"], row["visible_kib"])
    return points


def pod_addresses(row):
    """The interfaces that give pods addresses, as the EKS machine image counts them (its list is kept to where
    the API shows more network cards), and the IPv4 addresses of each."""
    addresses = int(row["ipv4_per_eni"])
    interfaces, rest = divmod(int(row["max_pods"]) - 2, addresses - 1) if addresses > 1 else (int(row["max_enis"]), 0)
    assert rest == 0, row
    return str(interfaces), str(addresses)


def make_instance_types(originals, into):
    points = measured_points(originals)
    rows = []
    for row in instance_types(originals):
        point = points.get(row["instance_type"], {})
        flags = "".join(
            letter
            for letter, column in [("m", "bare_metal"), ("b", "burstable"), ("c", "current_generation")]
            if row[column] == "true"
        )
        has_gpu = row["gpu_count"] != "0"
        assert row["max_enis"] and row["ecs_awsvpc_tasks"], row
        rows.append([
            row["instance_type"], "a" if row["arch"].startswith("arm64") else "x", row["vcpu"], row["memory_mib"],
            row["hypervisor"],
            row["gpu_count"] if has_gpu else "",
            plain(f"{row['gpu_manufacturer']} {row['gpu_model']}") if has_gpu else "",
            row["gpu_memory_mib_each"] if has_gpu else "",
            row["max_enis"], *pod_addresses(row), row["ecs_awsvpc_tasks"], row["ecs_awsvpc_tasks_trunking"],
            {"doc-2023": "L", "derived": "E", "": ""}[row["ecs_trunking_source"]],
            row["net_baseline_gbps"], row["net_burst_gbps"], row["cpu_baseline_fraction"], flags,
            point.get("first", ""), point.get("ECS", ""), point.get("EKS", ""),
        ])
    header = (
        "instance_type,arch,vcpu,memory_mib,hypervisor,gpus,gpu_model,gpu_mib,max_enis,pod_enis,eni_ipv4,awsvpc,awsvpc_trunk,"
        "trunk_basis,net_gbps,net_burst_gbps,cpu_baseline,flags,visible_kib,visible_kib_ecs,visible_kib_eks"
    ).split(",")
    comments = [
        f"EC2 instance types: {MOTO}; types gone from it: kubernetes/autoscaler @ 55c37cd (2026-01-22), Apache-2.0.",
        "Branch interfaces: aws/karpenter-provider-aws @ 1d927085 (2026-08-06) and vpc-resource-controller-k8s @ b8d4251,",
        "Apache-2.0. Task density with trunking: amazon-ecs-developer-guide @ 49232cf (2023-06-15), CC BY-SA 4.0 (basis L),",
        "else branch interfaces + interfaces of the default card - 2 (basis E). CPU baselines: elotl/kip @ 739ad20, Apache-2.0;",
        "t4g set equal to t3. Visible memory: aws/karpenter-provider-aws @ 15e87699 and 33450d8f (2023), Apache-2.0, and single",
        "public facts: first row of the type, first of ECS, first of EKS. Interfaces for pods: awslabs/amazon-eks-ami @ 81fec2e",
        "(2026-07-23), MIT-0.",
        "arch: x = x86_64, a = arm64. flags: m = bare metal, b = burstable, c = current generation. Left out: f1 (no network bandwidth known).",
    ]
    write(into, "instance_types.csv", comments, header, rows)


def pivot(originals, into, name, comments, source, cell):
    """One row per instance type, one column per region."""
    table, regions = {}, {}
    for row in read(originals, source):
        regions[row["region"]] = None
        table[row["region"], row["instance_type"]] = cell(row)
    types = [row["instance_type"] for row in instance_types(originals)]
    rows = [[name] + [table.get((region, name), "") for region in regions] for name in types]
    write(into, name, comments, ["instance_type", *regions], rows)


def price_cell(row):
    kind = {"price-list": "L", "karpenter-static": "K"}.get(row["source"])
    if kind is None:
        assert row["basis"] == "estimated" and row["source"].startswith("ratio:"), row
        kind = "E"
    return row["usd_per_hour"] + kind


def make_prices(originals, into):
    comments = [
        "On-demand USD per hour, Linux, shared tenancy. L = listed, AWS Price List API of 2026-02-07 by aws-samples/",
        "sample-ecs-managed-instances-pricing-calculator @ 41ba68a, MIT-0. K = listed, aws/karpenter-provider-aws @ 1d927085",
        "(2026-07-20), Apache-2.0. E = estimated: us-east-1 price x median regional ratio of the nearest family.",
    ]
    pivot(originals, into, "prices.csv", comments, "ec2_prices.csv", price_cell)


def make_offerings(originals, into):
    comments = [f"Zones that offer a type, as the numbers of zone ids (246 = az2 az4 az6): {MOTO}."]
    pivot(originals, into, "offerings.csv", comments, "ec2_offerings.csv",
          lambda row: "".join(re.fullmatch(r"\w+-az(\d)", zone)[1] for zone in row["zone_ids"].split()))


def make_regions(originals, into):
    regions = {}
    for row in read(originals, "ec2_offerings.csv"):
        regions.setdefault(row["region"], set()).update(row["zone_ids"].split())
    rows = []
    for region, zones in regions.items():
        (prefix,) = {zone.split("-az")[0] for zone in zones}
        numbers = sorted(int(zone.split("-az")[1]) for zone in zones)
        letters = ZONE_LETTERS.get(region, {number: "abcdefgh"[number - 1] for number in numbers})
        assert set(letters) == set(numbers)
        pairs = sorted(f"{region}{letters[number]}={prefix}-az{number}" for number in numbers)
        rows.append([region, " ".join(pairs)])
    comments = [
        f"Zone ids per region: {MOTO}.",
        "Which zone name is which id differs between accounts: the pairs here are assumed.",
    ]
    write(into, "regions.csv", comments, ["region", "zones"], rows)


def make_fargate_sizes(originals, into):
    header = ["cpu_units", "memory_mib", "windows", "min_linux_platform_version"]
    rows = []
    for row in read(originals, "fargate_sizes.csv"):
        assert row["linux"] == "true"
        rows.append([row[column] for column in header])
    comments = [
        "Every Fargate task size; all of them run Linux. Sizes up to 16 vCPU: awsdocs/amazon-ecs-developer-guide @ 49232cf",
        "(2023-06-15), CC BY-SA 4.0, increments expanded; this table is shared under the same licence. 32 vCPU: public copies",
        "of the 2026 table.",
    ]
    write(into, "fargate_sizes.csv", comments, header, rows)


def make_fargate_prices(originals, into):
    figures = [
        "usd_per_vcpu_hour", "usd_per_gb_hour", "usd_os_license_per_vcpu_hour", "spot_usd_per_vcpu_hour",
        "spot_usd_per_gb_hour", "ephemeral_usd_per_gb_hour",
    ]
    header = ["region", "os", "arch", *figures, "basis", "spot_basis", "ephemeral_basis", "source", "as_of"]
    rows = [
        [row["region"], row["os"], row["arch"], *(row[column] for column in figures),
         *(BASIS.get(row[column], "") for column in ["basis", "spot_basis", "ephemeral_basis"]),
         plain(row["source"]), FARGATE_DATES.get(row["source"], "")]
        for row in read(originals, "fargate_prices.csv")
    ]
    comments = [
        "Fargate rates. Linux x86: theuves/fgcalc @ 6e1547c (2021-01, no licence stated, AWS price facts). Other listed rates:",
        "public price pages. Estimated rates: the rule in `source`. Spot moves over time and is a snapshot.",
    ]
    write(into, "fargate_prices.csv", comments, header, rows)


def make_other_prices(originals, into):
    header = ["service", "item", "region", "unit", "usd", "basis", "source", "as_of"]
    rows = [
        [row["service"], row["item"], row["region"], row["unit"], row["usd"], BASIS[row["basis"]],
         plain(row["source"]), row["as_of"]]
        for row in read(originals, "aws_prices_other.csv")
    ]
    rows.append(["ecs", "anywhere_instance_hour", "*", "instance-hour", "0.01025", "A", "", ""])
    comments = [
        "Other AWS prices in USD. cortexlabs/cortex @ dc48c02 (2022-09-03), infracost @ 95ba4f4 (2026-08-21), opencost @ 5f65333,",
        "all Apache-2.0; ec2instances.info @ 4ef36cd, MIT; public price pages. region * = all.",
    ]
    write(into, "other_prices.csv", comments, header, rows)


def setting_basis(row):
    if row["basis"].startswith("assumed") or row["sources"] == "-":
        return "A"
    return "L" if row["dist"] == "const" and row["confidence"] == "high" else "E"


def make_settings(originals, into):
    header = ["name", "unit", "distribution", "a", "b", "min", "max", "p50", "confidence", "basis", "sources"]
    rows = [
        [row["param"], row["unit"], row["dist"], row["a"], row["b"], row["min"], row["max"], row["p50"],
         row["confidence"], setting_basis(row), "" if row["sources"] == "-" else row["sources"]]
        for row in read(originals, "calibration/defaults.csv")
        if row["section"] in SETTING_SECTIONS and row["dist"] in SETTING_DISTRIBUTIONS
    ]
    comments = [
        "Calibrated defaults. lognormal a = mu, b = sigma of ln; uniform a, b = bounds; const a; exponential a = rate; bernoulli",
        "a = probability; min and max clamp. basis: L = documented constant; E = fitted to the sources; A = assumed.",
        "Own fits to published measurements; source keys as in the calibration document.",
    ]
    write(into, "settings.csv", comments, header, rows)


def main():
    originals = Path(sys.argv[1])
    into = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE
    for make in [make_instance_types, make_prices, make_offerings, make_regions, make_fargate_sizes,
                 make_fargate_prices, make_other_prices, make_settings]:
        make(originals, into)


main()
