import Hardware
import JSON
import Simulation

extension BenchReport {
    /// One JSON object; times in seconds, core time where a name says `core`.
    var json: String {
        let p = plan.pipeline
        var members: [(String, JSONText)] = [
            ("program", .string(Program.line)),
            ("tokens_per_second", .number(tokensPerSecond)),
            ("tokens_per_second_best", .number(best)),
            ("utilisation", .number(utilisation)),
            ("fma_peak_gflops", .number(limits.multiplyAdd / 1e9)),
            ("bf16_peak_gflops", limits.bfloat16.map { .number($0 / 1e9) } ?? .null),
            ("utilisation_of_product_peak", .number(productUtilisation)),
            ("memory_gbytes_per_second", .number(limits.bandwidth / 1e9)),
            ("peak_rss_bytes", .number(Double(breakdown.peakBytes))),
            ("precision", .string(p.model.precision.rawValue)), ("matrices", .string(p.matrices.rawValue)),
            ("parameters", .number(Double(p.parameterCount))),
            ("training_flops_per_token", .number(p.trainingFlopsPerToken)),
            ("tokens_per_step", .number(Double(plan.tokensPerStep))),
            ("sequence", .number(Double(p.sequence))),
            ("slice", .number(Double(p.slice))),
            ("stages", .number(Double(p.ranks))),
            ("replicas", .number(Double(p.replicas))),
            ("workers", .number(Double(host.workers))),
            ("step_seconds", .numbers(steps)),
            ("taken_cores", .array(taken.map(json))),
        ]
        for part in StepPart.allCases { members.append(("\(part)_core_seconds", .number(seconds(part)))) }
        members.append(("breakdown", .array(rows.map(json))))
        if let ratio {
            members.append(
                (
                    "against",
                    .object([
                        ("ratio", .number(ratio)),
                        ("tokens_per_second", .numbers(pairs.map(\.own))),
                        ("peer_tokens_per_second", .numbers(pairs.map(\.peer))),
                    ])
                ))
        }
        return JSONText.object(members).text
    }

    private func json(_ taken: (rank: Int, core: TakenCore)) -> JSONText {
        .object([
            ("rank", .number(Double(taken.rank))),
            ("core", .number(Double(taken.core.core))),
            ("share", .number(taken.core.share)),
        ])
    }

    private func json(_ row: Row) -> JSONText {
        .object([
            ("work", .string(row.name)),
            ("core_seconds", .number(row.seconds)),
            ("share", .number(row.share)),
            ("flops", .number(row.count.flops)),
            ("bytes", .number(row.count.bytes)),
            ("bound_by", row.count.bytes > 0 ? .string(row.isComputeBound(limits) ? "compute" : "memory") : .null),
        ])
    }
}
