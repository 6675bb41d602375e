import Figures
import JSON
import Schedules

extension StepComparison {
    /// The comparison for people.
    public var text: String {
        var times = TextTable(["", "predicted", "recorded", "error"])
        for (name, pair) in [("step", step), ("  table", table), ("  rest", rest)] {
            times.add([name, pair.predicted.asTime, pair.recorded.asTime, Self.signed(pair.error)])
        }
        var text = times.text
        text +=
            "recorded: median of \(steps) steps from \(stepRange.lowerBound.asTime) to \(stepRange.upperBound.asTime); "
        text += "rest: what a step does beside its table (gradient sync, norm, optimizer)\n\n"
        var ranks = TextTable(["rank", "idle predicted", "recorded", "difference"])
        for (rank, pair) in idle.enumerated() {
            ranks.add([
                "\(rank)", pair.predicted.asPercentage, pair.recorded.asPercentage,
                Self.signed(pair.predicted - pair.recorded),
            ])
        }
        text += ranks.text + "\n"
        var actions = TextTable(["action", "stage", "predicted", "recorded", "error"])
        for entry in entries {
            actions.add([
                entry.kind.title, "\(entry.stage)", entry.time.predicted.asTime, entry.time.recorded.asTime,
                Self.signed(entry.time.error),
            ])
        }
        text += actions.text + "\n"
        text += "worst action: \(worstDuration.action) of rank \(worstDuration.rank) takes "
        text += "\(worstDuration.time.recorded.asTime), predicted \(worstDuration.time.predicted.asTime)\n"
        text += "worst start:  \(worstStart.action) of rank \(worstStart.rank) after "
        text += "\(worstStart.time.recorded.asTime), predicted \(worstStart.time.predicted.asTime)\n"
        if messages > 0 {
            text +=
                "messages:     \(messages) a step; ranks idle while one is under way for \(exposed.recorded.asTime), "
            text += "predicted \(exposed.predicted.asTime)"
            if let hidden {
                text +=
                    "; hidden behind work \(hidden.recorded.asPercentage), predicted \(hidden.predicted.asPercentage)"
            }
            text += "\n"
        }
        return text
    }

    private static func signed(_ share: Double) -> String { (share >= 0 ? "+" : "") + share.asPercentage }

    /// One JSON object; times in milliseconds.
    public var json: String {
        func ms(_ seconds: Double) -> JSONText { .number(seconds * 1e3) }
        func pair(_ pair: Pair) -> JSONText {
            .object([
                ("predicted", ms(pair.predicted)), ("recorded", ms(pair.recorded)), ("error", .number(pair.error)),
            ])
        }
        func worst(_ worst: Worst) -> JSONText {
            .object([
                ("action", .string("\(worst.action)")), ("rank", .number(Double(worst.rank))),
                ("predicted", ms(worst.time.predicted)), ("recorded", ms(worst.time.recorded)),
            ])
        }
        let hiddenShares = hidden.map {
            JSONText.object([("predicted", .number($0.predicted)), ("recorded", .number($0.recorded))])
        }
        return JSONText.object([
            ("time_unit", .string("ms")), ("predicted", ms(step.predicted)), ("recorded", ms(step.recorded)),
            ("error", .number(step.error)), ("steps", .number(Double(steps))),
            ("recorded_shortest", ms(stepRange.lowerBound)), ("recorded_longest", ms(stepRange.upperBound)),
            ("table", pair(table)), ("rest", pair(rest)),
            ("idle_predicted", .numbers(idle.map(\.predicted))), ("idle_recorded", .numbers(idle.map(\.recorded))),
            (
                "actions",
                .array(
                    entries.map {
                        .object([
                            ("kind", .string($0.kind.title)), ("stage", .number(Double($0.stage))),
                            ("predicted", ms($0.time.predicted)), ("recorded", ms($0.time.recorded)),
                        ])
                    })
            ),
            ("worst_action", worst(worstDuration)), ("worst_start", worst(worstStart)),
            ("messages", .number(Double(messages))), ("exposed", pair(exposed)), ("hidden", hiddenShares ?? .null),
        ]).text + "\n"
    }
}
