import Hardware
import KernelInterface
import Numerics

// The steps between the matrix products and scans. The forward takes them one by one, the backward and the weight
// gradients take them again.
extension MegalodonAttention {
    /// z of some tokens, by heads.
    func headed(_ rows: Int) -> GroupedShape { GroupedShape(rows: rows, features: c.zDim, groups: c.heads) }

    /// The two views of z, not rotated yet, the keys behind the window. zr holds z with its bias, zs the scales of its
    /// heads.
    func views(_ context: SliceContext, _ f: Stash, _ d: Derived, rows: Range<Int>) {
        let (Z, E, n, t) = (c.zDim, c.valueDim, context.megalodon.held, rows.lowerBound)
        context.kernels.tokens.queries.queriesAndKeys(
            QueryViewsArguments(
                views: QueryViews(q: d.q + t * Z, k: d.k + (n + t) * Z),
                z: FloatRows(f.zr + t * (Z + E), stride: Z + E), scales: f.zs + t * c.heads, gamma: value("gamma"),
                beta: value("beta"), shape: headed(rows.count)))
    }

    func rotateKeys(_ context: SliceContext, _ d: Derived) {
        rotate(context, d.q, direction: 1)
        rotate(context, d.k + context.megalodon.held * c.zDim, direction: 1)
    }

    /// mix = attended * silu(r).
    func mixGated(_ context: SliceContext, _ f: Stash, _ d: Derived) {
        let (Z, E) = (c.zDim, c.valueDim)
        context.team.share(context.length) { _, rows in
            let o = rows.lowerBound * E
            context.kernels.tokens.gating.gatedMix(
                GatedMixArguments(
                    mix: d.mix + o, attended: f.attended + o,
                    gate: FloatRows(f.zr + rows.lowerBound * (Z + E) + Z, stride: Z + E),
                    extent: Extent(rows: rows.count, columns: E)))
        }
    }

    /// What the backward needs again: tn, the rotated views, the window, the values.
    func restore(_ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived) {
        let (E, n) = (c.valueDim, context.megalodon.held)
        timeNorm.again(context, f.norm(x), y: d.tn)
        context.team.alone(as: .elementwise) { MegalodonState.copy(f.window, to: (d.k, d.v), rows: n, c) }
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            views(context, f, d, rows: rows)
            context.kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: MutableFloatRows(f.vl + t * E, stride: E), bias: nil,
                    y: MutableFloatRows(d.v + (n + t) * E, stride: E), extent: Extent(rows: rows.count, columns: E)))
        }
        rotateKeys(context, d)
    }

    /// What the weight gradients need again: mx and mix, and tn unless the backward has just left it.
    func restoreFactors(
        _ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived, followsBackward: Bool
    ) {
        if !followsBackward { timeNorm.again(context, f.norm(x), y: d.tn) }
        averageNorm.forward(context, f.s, to: d.mx, f.averageNorm)
        mixGated(context, f, d)
    }

    func rotate(_ context: SliceContext, _ x: UnsafeMutablePointer<Float>, direction: Float) {
        context.megalodon.rotation.rotate(
            context, MutableFloatRows(x, stride: c.zDim), features: c.keyDim, heads: c.heads, direction: direction)
    }
}
