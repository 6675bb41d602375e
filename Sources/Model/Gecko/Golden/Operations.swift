import Glibc
import Hardware
import KernelInterface
import Kernels
import Numerics

/// Runs the golden cases of single operations, row by row of the batch.
struct Operations {
    let file: any GoldenSource
    let matrices: any MatrixProducts
    var team: Team { matrices.team }

    func run(_ operation: String, case name: String, _ report: inout CaseReport) throws {
        switch operation {
        case "timestep_decay_norm": try timestepDecayNorm(name, &report)
        case "complex_ema": try complexEMA(name, &report)
        case "norms": try norms(name, &report)
        case "rotary": try rotary(name, &report)
        case "sliding_chunk_attention": try attention(name, &report)
        case "adaptive_working_memory": try memory(name, &report)
        case "nffn": try feedForward(name, &report)
        case "cross_entropy": try crossEntropy(name, &report)
        default: throw VerificationError("\(file.name): no operation is called '\(operation)'")
        }
    }

    func context(_ plan: SlicePlan, workspace: FloatBuffer = FloatBuffer(0)) -> SliceContext {
        SliceContext(matrices: matrices, plan: plan, workspace: workspace.base)
    }

    /// A plan of slices that share a chunk, without rotary tables.
    func plan(chunk: Int = 1 << 30, beta1: Double = 0.9, beta2: Double = 0.9) -> SlicePlan {
        SlicePlan(chunk: chunk, keyDim: 0, ropeBase: 1, beta1: beta1, beta2: beta2, tile: KernelTable.emaTile)
    }

    private func timestepDecayNorm(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let shape = try file.shape("\(name).in.x", axes: 3)
        let (B, L, D) = (shape[0], shape[1], shape[2])
        let G = try h.int("groups")
        try file.requireDivides(G, D, "groups of \(name)")
        func tensor(_ n: String, _ count: Int) throws -> [Float] { try file.floats("\(name).\(n)", count: count) }
        let weight = FloatBuffer(try tensor("in.weight", D))
        let bias = FloatBuffer(try tensor("in.bias", D))
        let dw = FloatBuffer(D)
        let db = FloatBuffer(D)
        let norm = TimestepDecayNorm(
            dim: D, groups: G,
            averages: .init(
                beta1: try h.number("beta1"), beta2: try h.number("beta2"), eps: try h.number("eps")),
            parameters: TimestepNormParameters(weight: weight.base, bias: bias.base),
            gradients: TimestepNormParameterGradients(weight: dw.base, bias: db.base))
        let scratch = FloatBuffer(norm.workspace)
        var all = GoldenTensors()
        var counts: [Int32] = []
        for b in 0..<B {
            var cursor = GeckoCursor.start
            cursor.count = Int(try file.ints("\(name).in.count", count: B)[b])
            let plan = plan(beta1: norm.averages.beta1, beta2: norm.averages.beta2)
                .moved(to: cursor, length: L, bos: try file.bos(name, row: b, of: B, length: L))
            let x = FloatBuffer(try tensor("in.x", B * L * D).row(b, of: B))
            let mean = FloatBuffer(try tensor("in.mean", B * G).row(b, of: B))
            let variance = FloatBuffer(try tensor("in.var", B * G).row(b, of: B))
            let y = FloatBuffer(L * D)
            let mhat = FloatBuffer(L * G)
            let r = FloatBuffer(L * G)
            let kept = TimestepDecayNorm.Kept(x: x.base, means: mhat.base, scales: r.base)
            norm.forward(
                context(plan), kept, y: y.base, state: TimestepNormState(mean: mean.base, variance: variance.base))
            all.append("out.y", y.values())
            all.append("out.mean", mean.values())
            all.append("out.var", variance.values())
            counts.append(Int32(plan.exit.count))
            let dmean = FloatBuffer(try tensor("up.mean", B * G).row(b, of: B))
            let dvariance = FloatBuffer(try tensor("up.var", B * G).row(b, of: B))
            let dy = FloatBuffer(try tensor("up.y", B * L * D).row(b, of: B))
            let dx = FloatBuffer(L * D)
            norm.backward(
                context(plan), dy: dy.base, dx: dx.base, kept,
                stateGradient: TimestepNormState(mean: dmean.base, variance: dvariance.base), scratch: scratch.base)
            withExtendedLifetime((x, mhat, r)) {}
            all.append("grad.x", dx.values())
            all.append("grad.mean", dmean.values())
            all.append("grad.var", dvariance.values())
        }
        all.append("grad.weight", dw.values())
        all.append("grad.bias", db.values())
        try all.compare(name, of: file, &report)
        report.require("out.count", counts, try file.ints("\(name).out.count"))
    }

    private func complexEMA(_ name: String, _ report: inout CaseReport) throws {
        try GoldenComplexEMA(file: file, isWeighted: false).run(name, &report) { length, bos in
            let plan = plan().moved(to: GeckoCursor.start, length: length, bos: bos)
            return (context(plan), plan.tiles)
        }
    }

    private func norms(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let kind = try h.string("kind")
        let shape = try file.shape("\(name).in.x")
        let D = shape.last ?? 0
        let rows = shape.dropLast().reduce(1, *)
        let groups = try h.int("groups")
        try file.requireDivides(groups, D, "groups of \(name)")
        let eps = Float(try h.number("eps"))
        let k = KernelTable.best.tokens.featureNorms
        let grouped = GroupedShape(rows: rows, features: D, groups: groups)
        let x = FloatBuffer(try file.floats("\(name).in.x"))
        let dy = FloatBuffer(try file.floats("\(name).up.y", count: rows * D))
        let weight = file.has("\(name).in.weight") ? FloatBuffer(try file.floats("\(name).in.weight", count: D)) : nil
        let bias = file.has("\(name).in.bias") ? FloatBuffer(try file.floats("\(name).in.bias", count: D)) : nil
        let (y, dx) = (FloatBuffer(rows * D), FloatBuffer(rows * D))
        let (m, r) = (FloatBuffer(rows * groups), FloatBuffer(rows * groups))
        let (dw, db) = (FloatBuffer(D), FloatBuffer(D))
        switch kind {
        case "rms":
            k.rmsNorm(
                RMSNormArguments(
                    y: MutableFloatRows(y.base, stride: D), scales: r.base, x: FloatRows(x.base, stride: D),
                    weight: weight?.base, shape: grouped, eps: eps))
            k.rmsNormBackward(
                RMSNormBackwardArguments(
                    dx: MutableFloatRows(dx.base, stride: D), dy: FloatRows(dy.base, stride: D),
                    x: FloatRows(x.base, stride: D), scales: r.base, weight: weight?.base, shape: grouped))
            k.rmsNormWeight(
                RMSNormWeightArguments(
                    dweight: dw.base, dy: dy.base, x: x.base, scales: r.base, shape: grouped, columns: 0..<D))
        case "layer":
            let forward = LayerNormed(x: x.base, means: m.base, scales: r.base)
            k.layerNorm(
                LayerNormArguments(
                    y: y.base, statistics: GroupStatistics(means: m.base, scales: r.base), x: x.base,
                    parameters: LayerNormParameters(weight: weight?.base, bias: bias?.base), shape: grouped, eps: eps))
            k.layerNormBackward(
                LayerNormBackwardArguments(
                    dx: dx.base, dy: dy.base, forward: forward, weight: weight?.base, shape: grouped, adds: false))
            k.layerNormWeight(
                LayerNormWeightArguments(
                    gradients: LayerNormParameterGradients(weight: dw.base, bias: db.base), dy: dy.base,
                    forward: forward, shape: grouped, columns: 0..<D))
        default:
            throw VerificationError("\(file.name): norm kind '\(kind)' is neither rms nor layer")
        }
        withExtendedLifetime((x, m, r)) {}
        var all = GoldenTensors()
        all.append("out.y", y.values())
        all.append("grad.x", dx.values())
        all.append("grad.weight", dw.values())
        all.append("grad.bias", db.values())
        try all.compare(name, of: file, &report)
    }

    private func rotary(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let shape = try file.shape("\(name).in.x", axes: 4)
        let (B, L, H, dz) = (shape[0], shape[1], shape[2], shape[3])
        var cursor = GeckoCursor.start
        cursor.position = try h.int("first_position")
        let chunk = 1 << 30
        cursor.windowDocuments = [Int32](repeating: 0, count: cursor.position)
        let plan = SlicePlan(
            chunk: chunk, keyDim: dz, ropeBase: try h.number("base"), beta1: 0.9, beta2: 0.9, tile: KernelTable.emaTile
        ).moved(to: cursor, length: L, bos: nil)
        let heads = try h.int("rope_heads")
        guard dz % 2 == 0, 0...H ~= heads else {
            throw VerificationError("\(file.name): '\(name)' rotates \(heads) of \(H) heads with \(dz) features")
        }
        func rotate(_ x: FloatBuffer, direction: Float) {
            plan.rotation.cosines.withUnsafeBufferPointer { cosines in
                plan.rotation.sines.withUnsafeBufferPointer { sines in
                    KernelTable.best.tokens.queries.rotate(
                        RotateArguments(
                            x: MutableFloatRows(x.base, stride: H * dz),
                            angles: RotaryAngles(cosines: cosines.baseAddress!, sines: sines.baseAddress!),
                            direction: direction, rows: L, features: dz, heads: heads))
                }
            }
        }
        var all = GoldenTensors()
        for b in 0..<B {
            let x = FloatBuffer(try file.floats("\(name).in.x").row(b, of: B))
            let dy = FloatBuffer(try file.floats("\(name).up.y", count: B * L * H * dz).row(b, of: B))
            rotate(x, direction: 1)
            rotate(dy, direction: -1)
            all.append("out.y", x.values())
            all.append("grad.x", dy.values())
        }
        try all.compare(name, of: file, &report)
    }

    private func feedForward(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let shape = try file.shape("\(name).in.y")
        let D = shape.last ?? 0
        var c = GeckoConfiguration()
        c.dim = D
        c.ffnDim = try file.shape("\(name).in.fc1", axes: 2)[0]
        c.lnGroups = h.optionalInt("groups") ?? h.optionalInt("ln_groups") ?? 1
        try file.requireDivides(c.lnGroups, D, "groups of \(name)")
        c.eps = try h.number("eps")
        c.normAffine = file.has("\(name).in.norm_weight")
        c.swiglu = file.has("\(name).in.fc3")
        c.rescaleNFFN = try h.flag("rescale")
        let twoHop = try h.flag("two_hop")
        let names = [
            ("norm.weight", "norm_weight"), ("norm.bias", "norm_bias"), ("fc1.weight", "fc1"), ("fc2.weight", "fc2"),
            ("fc3.weight", "fc3"), ("alpha", "alpha"),
        ].filter { file.has("\(name).in.\($0.1)") }
        try GoldenFeedForward(
            form: c.feedForward(layer: 0), names: names.map { (ours: $0.0, theirs: $0.1) }, prefix: "layers.0.nffn.",
            hasTwoHops: twoHop
        ).run(name, of: file, &report) { T in
            context(plan().moved(to: GeckoCursor.start, length: T, bos: nil))
        }
    }

    private func crossEntropy(_ name: String, _ report: inout CaseReport) throws {
        let ignore = Int32(try file.object(name).int("ignore"))
        let shape = try file.shape("\(name).in.logits")
        let V = shape.last ?? 0
        let rows = shape.dropLast().reduce(1, *)
        let targets = try file.tokens("\(name).in.targets", count: rows, below: V, ignores: true)
            .map { $0 == ignore ? -100 : $0 }
        let count = targets.filter { $0 >= 0 }.count
        let up = try file.floats("\(name).up.loss", count: 1)[0]
        let logits = FloatBuffer(try file.floats("\(name).in.logits"))
        var losses = [Double](repeating: 0, count: rows)
        targets.withUnsafeBufferPointer { targets in
            losses.withUnsafeMutableBufferPointer { losses in
                KernelTable.best.training.crossEntropy(
                    CrossEntropyArguments(
                        logits: logits.base, targets: targets.baseAddress!, losses: losses.baseAddress!,
                        scale: up / Float(count), extent: Extent(rows: rows, columns: V)))
            }
        }
        var all = GoldenTensors()
        all.append("out.loss", [Float(losses.reduce(0, +) / Double(count))])
        all.append("grad.logits", logits.values())
        try all.compare(name, of: file, &report)
    }
}
