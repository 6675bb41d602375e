import Corpora

extension RunConfiguration {
    /// Checks the relations between keys and resolves what was left open: the vocabulary, the number of stages, the
    /// slice and the rotary heads get their values.
    /// - Parameter world: the number of ranks under a launcher, or nil when the process runs alone.
    /// - Throws: `ConfigurationError` with every relation that does not hold and a change that would mend it.
    package func validated(world: Int?) throws -> RunConfiguration {
        var resolved = self
        var problems: [String] = []
        resolved.checkModel(&problems)
        resolved.checkData(&problems)
        resolved.checkPipeline(world: world, &problems)
        if (checkpoint.localEvery > 0) != !checkpoint.localDirectory.isEmpty {
            problems.append(
                "\(quote("checkpoint.local_every")) and \(quote("checkpoint.local_directory")) belong together: give both or neither"
            )
        }
        if run.directory.isEmpty { problems.append("run.directory is empty: give the folder for the results") }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return resolved
    }

    /// The key with its value and where it was set: "model.dim = 100 (at run.toml:4)".
    private func quote(_ name: String) -> String {
        let value = ConfigurationKey.byName[name].map { $0.value(in: self).toml } ?? ""
        return "\(name) = \(value)" + (origins[name].map { " (\($0.phrase))" } ?? "")
    }

    private func checkDivides(_ divisor: String, _ number: String, _ problems: inout [String]) {
        guard case .integer(let d)? = ConfigurationKey.byName[divisor]?.value(in: self),
            case .integer(let n)? = ConfigurationKey.byName[number]?.value(in: self)
        else { preconditionFailure("\(divisor) and \(number) are integer keys") }
        guard n % d != 0 else { return }
        problems.append(
            "\(quote(number)) is not a multiple of \(quote(divisor)): set \(number) to "
                + "\(Self.alternatives(Self.multiples(of: d, around: n))) or \(divisor) to "
                + Self.alternatives(Self.divisors(of: n, around: d)))
    }

    private mutating func checkModel(_ problems: inout [String]) {
        checkDivides("model.norm_groups", "model.dim", &problems)
        checkDivides("model.ln_groups", "model.dim", &problems)
        checkDivides("model.heads", "model.z_dim", &problems)
        checkDivides("model.heads", "model.value_dim", &problems)
        if model.ropeHeads > model.heads {
            problems.append(
                "\(quote("model.rope_heads")) is more than \(quote("model.heads")): "
                    + "set model.rope_heads to at most \(model.heads), or to -1 for all")
        }
        if model.ropeHeads != 0, model.zDim % model.heads == 0, model.zDim / model.heads % 2 != 0 {
            let around = Self.multiples(of: 2 * model.heads, around: model.zDim)
            problems.append(
                "rotary turns pairs of features, but \(quote("model.z_dim")) over \(quote("model.heads")) leaves "
                    + "\(model.zDim / model.heads) a head: set model.z_dim to \(Self.alternatives(around))")
        }
        let needed = data.packed ? 257 : 256
        if model.vocabulary == 0 {
            model.vocabulary = needed
        } else if model.vocabulary < needed {
            let tokens = data.packed ? "bytes and the bos token of packed documents" : "bytes"
            problems.append(
                "\(quote("model.vocabulary")) is too small: \(tokens) need \(needed); set it to \(needed) or to 0")
        }
        if model.ropeHeads < 0 { model.ropeHeads = model.heads }
    }

    private mutating func checkData(_ problems: inout [String]) {
        if let problem = data.path.problem { problems.append("data.path \(problem)") }
        do {
            // In the one way of writing it, so that a run is the same however its separator was typed.
            data.separator = try Separator(data.separator).text
        } catch {
            problems.append("\(quote("data.separator")) \(error)")
        }
        if !data.separator.isEmpty, !data.packed {
            problems.append(
                "\(quote("data.separator")) separates packed documents, but data.packed is false: "
                    + "set data.packed to true or leave data.separator out")
        }
        checkDivides("model.chunk", "data.sequence", &problems)
        if pipeline.slice == 0 {
            pipeline.slice = data.sequence
        } else {
            checkDivides("model.chunk", "pipeline.slice", &problems)
            checkDivides("pipeline.slice", "data.sequence", &problems)
        }
    }
}

extension RunConfiguration {
    private mutating func checkPipeline(world: Int?, _ problems: inout [String]) {
        checkDivides("pipeline.replicas", "training.batch", &problems)
        let given = pipeline.stages
        if case .explicit(let counts) = pipeline.layers, given == 0 { pipeline.stages = counts.count }
        if let world { checkWorld(world, &problems) }
        if pipeline.stages == 0 { pipeline.stages = 1 }
        checkLayers(world: world, &problems)
    }

    /// Under a launcher: ranks = stages x replicas.
    private mutating func checkWorld(_ world: Int, _ problems: inout [String]) {
        let replicas = pipeline.replicas
        if pipeline.stages == 0 {
            guard world % replicas == 0 else {
                let ranks = Self.alternatives(Self.multiples(of: replicas, around: world))
                problems.append(
                    "\(world) ranks cannot be shared by \(quote("pipeline.replicas")): start \(ranks) ranks, or set "
                        + "pipeline.replicas to \(Self.alternatives(Self.divisors(of: world, around: replicas)))")
                return
            }
            pipeline.stages = world / replicas
        }
        let needed = pipeline.stages * replicas
        guard needed != world else { return }
        var change = "start \(needed) ranks (-np \(needed))"
        if world % replicas == 0 { change += ", or set pipeline.stages to \(world / replicas)" }
        if world % pipeline.stages == 0 { change += ", or set pipeline.replicas to \(world / pipeline.stages)" }
        problems.append(
            "the launcher started \(world) ranks, but \(pipeline.stages) stages x \(replicas) replicas "
                + "are \(needed): \(change)")
    }

    private func checkLayers(world: Int?, _ problems: inout [String]) {
        let stages = pipeline.stages
        if stages > model.layers {
            let started = world.map { " (the launcher started \($0) ranks)" } ?? ""
            problems.append(
                "\(stages) stages\(started) are more than \(quote("model.layers")), and each stage needs a layer: "
                    + "set pipeline.stages to at most \(model.layers), or model.layers to \(stages) or more")
        }
        guard case .explicit(let counts) = pipeline.layers else { return }
        let sum = counts.reduce(0) { $0.addingReportingOverflow($1).partialValue }
        if counts.contains(where: { $0 < 1 || $0 > model.layers }) {
            problems.append(
                "\(quote("pipeline.layers")): each stage takes from 1 to all \(model.layers) layers")
        } else if sum != model.layers {
            problems.append(
                "\(quote("pipeline.layers")) sums to \(sum), but \(quote("model.layers")): "
                    + "change the list, or set model.layers to \(sum)")
        }
        if counts.count != stages {
            problems.append(
                "\(quote("pipeline.layers")) lists \(counts.count) stages, but there are \(stages): "
                    + "give \(stages) numbers, or set pipeline.stages to \(counts.count)")
        }
    }
}

extension RunConfiguration {
    /// The nearest multiples of `divisor` (at least one of it) below and above `number`.
    static func multiples(of divisor: Int, around number: Int) -> [Int] {
        let below = number / divisor * divisor
        let (above, overflow) = below.addingReportingOverflow(divisor)
        return (below > 0 ? [below] : []) + (overflow ? [] : [above])
    }

    /// The nearest divisors of `number` below and above `divisor`.
    static func divisors(of number: Int, around divisor: Int) -> [Int] {
        var divisors: [Int] = []
        var d = 1
        while d <= number / d {
            if number % d == 0 { divisors += [d, number / d] }
            d += 1
        }
        return [divisors.filter { $0 < divisor }.max(), divisors.filter { $0 > divisor }.min()].compactMap { $0 }
    }

    private static func alternatives(_ values: [Int]) -> String {
        values.map(String.init).joined(separator: " or ")
    }
}
