import Model
import Numerics

extension Relation {
    /// Every relation that concerns a configuration alone, whatever the number of ranks.
    static func all(_ configuration: RunConfiguration) -> [Relation] {
        let key = type(of: configuration.model).sliceKey.map { "model.\($0)" }
        return model(configuration.model) + data(sliceKey: key) + training + pipeline + places
    }

    /// Those of the architecture's own keys, and what the text asks of it.
    static func model(_ model: any Architecture) -> [Relation] {
        type(of: model).rules.map(Relation.init) + [hasVocabulary]
    }

    private static let hasVocabulary =
        Relation {
            $0.model.vocabulary >= $0.neededVocabulary
        } problem: {
            let tokens = $0.data.packed ? "bytes and the bos token of packed documents" : "bytes"
            return "\($0.quote("model.vocabulary")) is too small: \(tokens) need \($0.neededVocabulary)"
        } advice: {
            ["set it to \($0.neededVocabulary) or to 0"]
        }

    private static func data(sliceKey: String?) -> [Relation] {
        let multiples = sliceKey.map { key -> [Relation] in
            [
                .divides(key, "data.sequence"),
                .divides(key, "pipeline.slice", unless: { $0.pipeline.slice == $0.data.sequence }),
            ]
        }
        return [hasSeparator, isNotTooLong] + (multiples ?? []) + [.divides("pipeline.slice", "data.sequence")]
    }

    private static let hasSeparator =
        Relation {
            $0.data.separator.isEmpty || $0.data.packed
        } problem: {
            "\($0.quote("data.separator")) separates packed documents, but data.packed is false"
        } advice: { _ in
            ["set data.packed to true or leave data.separator out"]
        }

    private static let isNotTooLong =
        Relation {
            $0.longestReach <= $0.model.longestSequence?.tokens ?? .max
        } problem: {
            let key = $0.model.longestSequence?.key ?? ""
            let context = $0.data.streamContext > 0 ? " and \($0.quote("data.stream_context")) before it" : ""
            return
                "\($0.quote("data.sequence"))\(context) is more than \($0.quote("model.\(key)")), the longest sequence "
                + "that the model knows"
        } advice: {
            ["set model.\($0.model.longestSequence?.key ?? "") to \($0.longestReach)"]
        }

    private static let training: [Relation] = [
        Relation {
            $0.optimizer.learningRate * $0.optimizer.weightDecay < 1
        } problem: {
            "\($0.quote("optimizer.learning_rate")) times \($0.quote("optimizer.weight_decay")) is 1 or more: each "
                + "step would take all of the weights away and leave them with the other sign"
        } advice: { c in
            let most = (1e3 * 0.1 / c.optimizer.learningRate).rounded(.down) / 1e3
            let decay = most > 0 ? "set optimizer.weight_decay to \(min(0.1, most))" : "set optimizer.weight_decay to 0"
            return [decay] + (c.optimizer.weightDecay * 2e-3 < 1 ? ["take a learning rate such as 2e-3"] : [])
        }
    ]

    private static let pipeline: [Relation] = [
        .divides("pipeline.replicas", "training.batch"),
        Relation {
            $0.pipeline.stages <= $0.model.layers
        } problem: {
            """
            \($0.pipeline.stages) stages\($0.startedRanks) are more than \($0.quote("model.layers")), and each \
            stage needs a layer
            """
        } advice: {
            [
                "set pipeline.stages to at most \($0.model.layers)\($0.world == nil ? "" : " (and start fewer ranks)")",
                "model.layers to \($0.pipeline.stages) or more",
            ]
        },
        Relation {
            guard case .explicit(let counts) = $0.pipeline.layers else { return true }
            let layers = $0.model.layers
            return counts.allSatisfy { $0 >= 1 && $0 <= layers }
        } problem: {
            "\($0.quote("pipeline.layers")): each stage takes from 1 to all \($0.model.layers) layers"
        },
        Relation {
            ($0.layersListed ?? $0.model.layers) == $0.model.layers
        } problem: {
            "\($0.quote("pipeline.layers")) sums to \($0.layersListed ?? 0), but \($0.quote("model.layers"))"
        } advice: {
            ["change the list, or set model.layers to \($0.layersListed ?? 0)"]
        },
        Relation {
            guard case .explicit(let counts) = $0.pipeline.layers else { return true }
            return counts.count == $0.pipeline.stages
        } problem: {
            guard case .explicit(let counts) = $0.pipeline.layers else { return "" }
            return "\($0.quote("pipeline.layers")) lists \(counts.count) stages, but there are \($0.pipeline.stages): "
                + "give \($0.pipeline.stages) numbers, or set pipeline.stages to \(counts.count)"
        },
    ]

    private static let places: [Relation] = [
        Relation {
            ($0.checkpoint.localEvery > 0) == !$0.checkpoint.localDirectory.isEmpty
        } problem: {
            """
            \($0.quote("checkpoint.local_every")) and \($0.quote("checkpoint.local_directory")) belong together: \
            give both or neither
            """
        },
        Relation {
            !$0.run.directory.isEmpty
        } problem: { _ in
            "run.directory is empty: give the folder for the results"
        },
        Relation {
            !$0.checkpoint.directory.isEmpty
        } problem: { _ in
            "checkpoint.directory is empty: give a folder, or leave it out for {run}/checkpoints"
        },
    ]
}

extension Relation {
    private static func divides(
        _ divisor: String, _ number: String,
        unless isSaid: @escaping @Sendable (RunConfiguration) -> Bool = { _ in false }
    ) -> Relation {
        Relation {
            // A divisor of 0 says that there is none: no chunks.
            isSaid($0) || $0.integer(divisor) == 0 || $0.integer(number) % $0.integer(divisor) == 0
        } problem: {
            "\($0.quote(number)) is not a multiple of \($0.quote(divisor))"
        } remedies: {
            [
                .multiples(number) { $0.integer(divisor) },
                .divisors(divisor) { $0.integer(number) },
            ]
        }
    }
}

extension RunConfiguration {
    /// Tokens from the first that a sequence's last one sees to itself.
    fileprivate var longestReach: Int { data.sequence.saturatingPlus(data.streamContext) }
    fileprivate var neededVocabulary: Int { textNeeds.vocabulary }

    /// Layers that a list of them comes to, where it is one of possible numbers.
    fileprivate var layersListed: Int? {
        guard case .explicit(let counts) = pipeline.layers, counts.allSatisfy({ $0 >= 1 && $0 <= model.layers }) else {
            return nil
        }
        return counts.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }

    fileprivate var startedRanks: String { world.map { " (the launcher started \($0) ranks)" } ?? "" }
}
