import Numerics

/// A golden case of a feed-forward network with its residual: y -> out, or x and y -> out where the residual is x.
struct GoldenFeedForward {
    let form: FeedForward.Form
    /// Our names of the parameters, behind their common prefix, and the file's.
    let names: [(ours: String, theirs: String)]
    /// Before our names.
    let prefix: String
    /// Whether the residual is another input, x.
    let hasTwoHops: Bool

    /// - Parameter slice: of as many tokens as the case has
    func run(
        _ name: String, of file: any GoldenSource, _ report: inout CaseReport,
        context: (_ tokens: Int) -> SliceContext
    ) throws {
        let D = form.dim
        let T = try file.shape("\(name).in.y").dropLast().reduce(1, *)
        let store = ParameterStore(form.parameters)
        let block = FeedForward(form)
        block.bind(store)
        for (ours, theirs) in names {
            try store.set(prefix + ours, try file.floats("\(name).in.\(theirs)"), file: file.name)
        }
        let stash = GoldenMemory { FeedForward.Stash(&$0, form, length: T) }
        let gradients = GoldenMemory { FeedForward.GradientStash(&$0, form, length: T) }
        let work = GoldenMemory { FeedForward.Workspace(&$0, form, length: T) }
        let y = FloatBuffer(try file.floats("\(name).in.y", count: T * D))
        let x = hasTwoHops ? FloatBuffer(try file.floats("\(name).in.x", count: T * D)) : y
        let out = FloatBuffer(T * D)
        let context = context(T)
        block.beginStep()
        block.forward(context, y: y.base, residual: x.base, out: out.base, stash: stash.part, workspace: work.part)
        let memory = FeedForward.Memory(stash: stash.part, gradientStash: gradients.part, workspace: work.part)
        let dout = FloatBuffer(try file.floats("\(name).up.out", count: T * D))
        let dy = FloatBuffer(hasTwoHops ? [Float](repeating: 0, count: T * D) : dout.values())
        block.backward(context, dout: dout.base, dy: dy.base, add: !hasTwoHops, y: y.base, memory)
        block.accumulateWeightGradients(context, y: y.base, memory)
        withExtendedLifetime((stash, gradients, work)) {}
        var all = GoldenTensors()
        all.append("out.out", out.values())
        all.append("grad.y", dy.values())
        all.append("grad.x", dout.values())
        for (ours, theirs) in names { all.append("grad.\(theirs)", store.gradientValues(prefix + ours)) }
        try all.compare(name, of: file, &report)
    }
}
