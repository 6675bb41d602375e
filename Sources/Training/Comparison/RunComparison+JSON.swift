import JSON

extension RunComparison {
    /// Everything that the table and the picture tell but the curves.
    package var json: String {
        JSONText.object([
            ("groups", .array(groups.map(Self.json))),
            (
                "differences",
                .array(
                    differences.rows.map { row in
                        .object([
                            ("key", .string(row.key)),
                            ("values", .array(row.values.map { $0.map { .string($0) } ?? .null })),
                        ])
                    })
            ), ("notes", .strings(notes)),
        ]).text
    }

    private static func json(_ group: RunGroup) -> JSONText {
        let model = group.first.model
        let loss = group.heldOutLoss
        return .object([
            ("name", .string(group.name)), ("architecture", .string(group.first.architecture)),
            ("parameters_without_embeddings", .number(Double(model.parametersWithoutEmbeddings))),
            ("parameters", .number(Double(model.parameterCount))),
            (
                "forward_flops_per_token",
                .number(
                    model.meanForwardFlops(
                        sequence: group.first.configuration.data.sequence,
                        before: group.first.configuration.data.streamContext))
            ),
            ("tokens", .number(Double(group.tokens))), ("tokens_per_second", .number(group.tokensPerSecond)),
            ("peak_memory_bytes", number(group.peakMemory.map { Double($0) })),
            ("held_out_loss", json(loss, 1)), ("held_out_bits_per_byte", json(loss, StepMetrics.bits(1))),
            ("runs", .array(group.runs.map(json))),
        ])
    }

    private static func json(_ mean: SeedMean?, _ factor: Double) -> JSONText {
        guard let mean else { return .null }
        return .object([
            ("mean", .number(mean.mean * factor)), ("deviation", number(mean.deviation.map { $0 * factor })),
            ("seeds", .number(Double(mean.count))),
        ])
    }

    private static func json(_ run: ComparedRun) -> JSONText {
        var members: [(String, JSONText)] = [
            ("path", .string(run.path)), ("state", .string("\(run.state)")),
            ("seed", .number(Double(run.configuration.training.seed))), ("step", .number(Double(run.step))),
            ("steps", .number(Double(run.configuration.training.steps))), ("tokens", .number(Double(run.tokens))),
            ("tokens_per_second", .number(run.tokensPerSecond)),
            ("peak_memory_bytes", number(run.peakMemory.map { Double($0) })),
            ("held_out_loss", number(run.heldOutLoss)),
        ]
        if let positions = run.positions {
            members += [
                ("held_out_standard_error", number(positions.all.standardError)),
                (
                    "positions",
                    .object([
                        ("tokens", .number(Double(positions.bins.width))),
                        ("losses", .numbers(positions.losses.map(\.mean))),
                        ("standard_errors", .array(positions.losses.map { number($0.standardError) })),
                    ])
                ),
            ]
        }
        return .object(members)
    }

    private static func number(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }
}
