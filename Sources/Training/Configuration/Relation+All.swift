extension Relation {
    /// Every relation that concerns the configuration alone, whatever the number of ranks.
    static let all: [Relation] = model + data + training + pipeline + places

    static let model: [Relation] = [
        .divides("model.norm_groups", "model.dim"),
        // The norms take a variance over a group's features: that of one is 0, and nothing of the input is left.
        .severalFeatures("model.dim", over: "model.norm_groups", "the timestep norm"),
        .divides("model.ln_groups", "model.dim"),
        .severalFeatures("model.dim", over: "model.ln_groups", "the layer norm"),
        .divides("model.heads", "model.z_dim"),
        .divides("model.heads", "model.value_dim"),
        .severalFeatures("model.z_dim", over: "model.heads", "queries, keys and memory"),
        Relation {
            $0.model.ropeHeads <= $0.model.heads
        } problem: {
            "\($0.quote("model.rope_heads")) is more than \($0.quote("model.heads"))"
        } advice: {
            ["set model.rope_heads to at most \($0.model.heads), or to -1 for all"]
        },
        Relation {
            let m = $0.model
            return m.ropeHeads == 0 || m.zDim % m.heads != 0 || m.zDim / m.heads % 2 == 0
        } problem: {
            "rotary turns pairs of features, but \($0.quote("model.z_dim")) over \($0.quote("model.heads")) leaves "
                + "\($0.model.zDim / $0.model.heads) a head"
        } remedies: {
            [.multiples("model.z_dim") { 2 * $0.model.heads }]
        },
        Relation {
            $0.model.vocabulary >= $0.neededVocabulary
        } problem: {
            let tokens = $0.data.packed ? "bytes and the bos token of packed documents" : "bytes"
            return "\($0.quote("model.vocabulary")) is too small: \(tokens) need \($0.neededVocabulary)"
        } advice: {
            ["set it to \($0.neededVocabulary) or to 0"]
        },
    ]

    private static let data: [Relation] = [
        Relation {
            $0.data.separator.isEmpty || $0.data.packed
        } problem: {
            "\($0.quote("data.separator")) separates packed documents, but data.packed is false"
        } advice: { _ in
            ["set data.packed to true or leave data.separator out"]
        },
        .divides("model.chunk", "data.sequence"),
        .divides("model.chunk", "pipeline.slice", unless: { $0.pipeline.slice == $0.data.sequence }),
        .divides("pipeline.slice", "data.sequence"),
    ]

    private static let training: [Relation] = [
        Relation {
            $0.optimizer.learningRate * $0.optimizer.weightDecay < 1
        } problem: {
            "\($0.quote("optimizer.learning_rate")) times \($0.quote("optimizer.weight_decay")) is 1 or more: each step would take "
                + "all of the weights away and leave them with the other sign"
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
            "\($0.pipeline.stages) stages\($0.startedRanks) are more than \($0.quote("model.layers")), and each stage needs a layer"
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
            "\($0.quote("checkpoint.local_every")) and \($0.quote("checkpoint.local_directory")) belong together: give both or neither"
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
            isSaid($0) || $0.integer(number) % $0.integer(divisor) == 0
        } problem: {
            "\($0.quote(number)) is not a multiple of \($0.quote(divisor))"
        } remedies: {
            [
                .multiples(number) { $0.integer(divisor) },
                .divisors(divisor) { $0.integer(number) },
            ]
        }
    }

    private static func severalFeatures(_ number: String, over divisor: String, _ who: String) -> Relation {
        Relation {
            let (n, d) = ($0.integer(number), $0.integer(divisor))
            return n % d != 0 || n / d >= 2
        } problem: {
            "\($0.quote(number)) over \($0.quote(divisor)) leaves \(who) one feature, of which nothing but its sign comes through"
        } remedies: {
            [
                .multiples(number) { $0.integer(divisor) },
                .divisors(divisor) { $0.integer(number) },
            ]
        }
    }
}

extension RunConfiguration {
    fileprivate var neededVocabulary: Int { data.packed ? 257 : 256 }

    /// Layers that a list of them comes to, where it is one of possible numbers.
    fileprivate var layersListed: Int? {
        guard case .explicit(let counts) = pipeline.layers, counts.allSatisfy({ $0 >= 1 && $0 <= model.layers }) else {
            return nil
        }
        return counts.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }

    fileprivate var startedRanks: String { world.map { " (the launcher started \($0) ranks)" } ?? "" }
}
