import Corpora
import Model

extension RunConfiguration {
    /// Checks the relations between keys and resolves what was left open: the architecture's keys, the number of stages
    /// and the slice get their values.
    /// - Parameter world: the number of ranks under a launcher, or nil when the process runs alone.
    /// - Throws: `ConfigurationError` with every relation that does not hold and a change that would mend it.
    package func validated(world: Int?) throws -> RunConfiguration {
        var given = self
        given.world = world
        var resolved = given
        var problems: [String] = []
        resolved.settleData(&problems)
        if let world { resolved.checkWorld(world, &problems) }
        resolved.resolve()
        problems = Relation.all(resolved).filter { !$0.holds(resolved) }.map { $0.text(given, resolved) } + problems
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return resolved
    }

    /// Gives what was left open its value.
    mutating func resolve() {
        model.resolve(for: textNeeds)
        if pipeline.slice == 0 { pipeline.slice = data.sequence }
        if pipeline.stages == 0, let world, world % pipeline.replicas == 0 {
            pipeline.stages = world / pipeline.replicas
        }
        if case .explicit(let counts) = pipeline.layers, pipeline.stages == 0 { pipeline.stages = counts.count }
        if pipeline.stages == 0 { pipeline.stages = 1 }
    }

    private mutating func settleData(_ problems: inout [String]) {
        if let problem = data.path.problem { problems.append("data.path \(problem)") }
        do {
            // In the one way of writing it, so that a run is the same however its separator was typed.
            data.separator = try Separator(data.separator).text
        } catch {
            problems.append("\(quote("data.separator")) \(error)")
        }
    }

    /// Under a launcher: ranks = stages x replicas.
    private mutating func checkWorld(_ world: Int, _ problems: inout [String]) {
        let replicas = pipeline.replicas
        if case .explicit(let counts) = pipeline.layers, pipeline.stages == 0 { pipeline.stages = counts.count }
        if pipeline.stages == 0 {
            guard world % replicas == 0 else {
                let around = [world / replicas * replicas, (world / replicas + 1) * replicas].filter { $0 > 0 }
                let ranks = around.map(String.init).joined(separator: " or ")
                let divisors = Self.divisors(of: world).filter { training.batch % $0 == 0 }
                let near = [divisors.last { $0 < replicas }, divisors.first { $0 > replicas }].compactMap { $0 }
                problems.append(
                    "\(world) ranks cannot be shared by \(quote("pipeline.replicas")): start \(ranks) ranks, or set "
                        + "pipeline.replicas to \(near.map(String.init).joined(separator: " or "))")
                return
            }
            pipeline.stages = world / replicas
        }
        let needed = pipeline.stages * replicas
        guard needed != world else { return }
        var change = "start \(needed) ranks (-np \(needed))"
        if world % replicas == 0, world / replicas <= model.layers {
            change += ", or set pipeline.stages to \(world / replicas)"
        }
        if world % pipeline.stages == 0, training.batch % (world / pipeline.stages) == 0 {
            change += ", or set pipeline.replicas to \(world / pipeline.stages)"
        }
        problems.append(
            "the launcher started \(world) ranks, but \(pipeline.stages) stages x \(replicas) replicas "
                + "are \(needed): \(change)")
    }
}

extension RunConfiguration {
    /// What the text asks of the model.
    var textNeeds: TextNeeds {
        TextNeeds(
            vocabulary: ByteVocabulary.size(packed: data.packed), documentMark: data.packed ? ByteVocabulary.bos : nil)
    }

    /// The model with what its keys leave open settled.
    var resolvedModel: any Architecture {
        var resolved = model
        resolved.resolve(for: textNeeds)
        return resolved
    }
}
