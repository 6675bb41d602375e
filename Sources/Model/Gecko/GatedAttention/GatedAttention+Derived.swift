import Hardware
import KernelInterface
import Numerics

// The steps between the matrix products and scans. The forward takes them one by one, the backward and the weight
// gradients take them again.
extension GatedAttention {
    /// z of some tokens, by heads.
    func headed(_ rows: Int) -> GroupedShape { GroupedShape(rows: rows, features: c.zDim, groups: c.heads) }

    /// x of some tokens, by the groups of its norm.
    func grouped(_ rows: Int) -> GroupedShape { GroupedShape(rows: rows, features: c.dim, groups: c.lnGroups) }

    /// s [T, D], what the RMS norm takes: the EMA's output with its residual, or tn itself.
    func smoothed(_ f: Stash, _ d: Derived) -> UnsafeMutablePointer<Float> { ema == nil ? d.tn : f.s }

    /// mx = dropout(RMS(s)), and the scales of RMS.
    func normalise(_ context: SliceContext, _ f: Stash, _ d: Derived) {
        let D = c.dim
        let s = smoothed(f, d)
        let rms = c.normAffine ? value("rmsnorm.weight") : nil
        context.team.share(context.length, as: .norms) { _, rows in
            let o = rows.lowerBound * D
            context.kernels.tokens.featureNorms.rmsNorm(
                RMSNormArguments(
                    y: MutableFloatRows(d.mx + o, stride: D), scales: f.sr + rows.lowerBound * c.lnGroups,
                    x: FloatRows(s + o, stride: D), weight: rms, shape: grouped(rows.count), eps: Float(c.eps)))
        }
        inputDropout.apply(context, d.mx, d.mx, D)
    }

    /// The views of z, not rotated yet, behind the window. zr holds z with its bias, zs the scales of its heads.
    func views(_ context: SliceContext, _ f: Stash, _ d: Derived, rows: Range<Int>) {
        let (Z, E, n, t) = (c.zDim, c.valueDim, context.plan.window, rows.lowerBound)
        context.kernels.tokens.queries.queriesAndKeys(
            QueryViewsArguments(
                views: QueryViews(
                    q: d.q + t * Z, k: d.k + (n + t) * Z, memoryQ: c.memory ? d.aq + t * Z : nil,
                    memoryK: c.memory ? d.ak + (n + t) * Z : nil),
                z: FloatRows(f.zr + t * (Z + E), stride: Z + E), scales: f.zs + t * c.heads, gamma: value("gamma"),
                beta: value("beta"), shape: headed(rows.count)))
    }

    func rotateKeys(_ context: SliceContext, _ d: Derived) {
        rotate(context, d.q, direction: 1)
        rotate(context, d.k + context.plan.window * c.zDim, direction: 1)
    }

    /// mix = dropout(attended * silu(r) + recalled).
    func mixGated(_ context: SliceContext, _ f: Stash, _ d: Derived) {
        let (Z, E) = (c.zDim, c.valueDim)
        context.team.share(context.length) { _, rows in
            let o = rows.lowerBound * E
            context.kernels.tokens.gating.gatedMix(
                GatedMixArguments(
                    mix: d.mix + o, attended: f.attended + o,
                    gate: FloatRows(f.zr + rows.lowerBound * (Z + E) + Z, stride: Z + E),
                    recalled: c.memory ? d.recalled + o : nil,
                    extent: Extent(rows: rows.count, columns: E)))
        }
        mixDropout.apply(context, d.mix, d.mix, E)
    }

    /// tn and the views, not rotated.
    private func restoreInputs(_ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived) {
        timeNorm.again(context, f.norm(x), y: d.tn)
        context.team.share(context.length) { _, rows in views(context, f, d, rows: rows) }
    }

    /// What the backward needs again: tn, the views, the window, the values.
    func restore(_ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived) {
        let (E, n) = (c.valueDim, context.plan.window)
        restoreInputs(context, x: x, f, d)
        context.team.alone(as: .elementwise) { LayerState.copyWindow(f.window, to: (d.k, d.ak, d.v), rows: n, c) }
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: MutableFloatRows(f.vl + t * E, stride: E), bias: nil,
                    y: MutableFloatRows(d.v + (n + t) * E, stride: E), extent: Extent(rows: rows.count, columns: E)))
        }
        rotateKeys(context, d)
    }

    /// What the weight gradients need again: mx and mix, and tn unless the backward has just left it.
    func restoreFactors(
        _ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived, followsBackward: Bool,
        scratch: UnsafeMutablePointer<Float>
    ) {
        if !followsBackward { restoreInputs(context, x: x, f, d) }
        normalise(context, f, d)
        awm?.recall(context, q: d.aq, y: d.recalled, stash: f.memory, scratch: scratch)
        mixGated(context, f, d)
    }

    func rotate(_ context: SliceContext, _ x: UnsafeMutablePointer<Float>, direction: Float) {
        context.plan.rotation.rotate(
            context, MutableFloatRows(x, stride: c.zDim), features: c.keyDim, heads: c.ropeHeads, direction: direction)
    }
}
