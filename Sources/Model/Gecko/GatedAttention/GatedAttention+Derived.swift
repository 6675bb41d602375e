import Hardware
import Numerics

// The steps between the matrix products and scans. The forward takes them one by one, the backward and the weight gradients take them again.
extension GatedAttention {
    /// mx = dropout(RMS(s)), and the scales of RMS.
    func normalise(_ context: SliceContext, _ f: Stash, _ d: Derived) {
        let D = c.dim
        let rms = c.normAffine ? value("rmsnorm.weight") : nil
        context.team.share(context.length, as: .norms) { _, rows in
            let o = rows.lowerBound * D
            context.kernels.rmsNorm(
                d.mx + o, D, f.sr + rows.lowerBound * c.lnGroups, f.s + o, D, rms, rows.count, D, c.lnGroups,
                Float(c.eps))
        }
        inputDropout.apply(context, d.mx, d.mx, D)
    }

    /// The four views of z, not rotated yet, behind the window. zr holds z with its bias, zs the scales of its heads.
    func views(_ context: SliceContext, _ f: Stash, _ d: Derived, rows: Range<Int>) {
        let (Z, E, n, t) = (c.zDim, c.valueDim, context.plan.window, rows.lowerBound)
        context.kernels.queryViews(
            d.q + t * Z, d.k + (n + t) * Z, d.aq + t * Z, d.ak + (n + t) * Z, f.zr + t * (Z + E), Z + E,
            f.zs + t * c.heads, value("gamma"), value("beta"), rows.count, Z, c.heads)
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
            context.kernels.gatedMix(
                d.mix + o, f.attended + o, f.zr + rows.lowerBound * (Z + E) + Z, Z + E, d.recalled + o, rows.count, E)
        }
        mixDropout.apply(context, d.mix, d.mix, E)
    }

    /// tn and the views, not rotated.
    private func restoreInputs(_ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived) {
        timeNorm.again(context, x: x, y: d.tn, mhat: f.mhat, r: f.tr)
        context.team.share(context.length) { _, rows in views(context, f, d, rows: rows) }
    }

    /// What the backward needs again: tn, the views, the window, the values.
    func restore(_ context: SliceContext, x: UnsafePointer<Float>, _ f: Stash, _ d: Derived) {
        let (E, n) = (c.valueDim, context.plan.window)
        restoreInputs(context, x: x, f, d)
        context.team.alone(as: .elementwise) { LayerState.copyWindow(f.window, to: (d.k, d.ak, d.v), rows: n, c) }
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.biasSilu(f.vl + t * E, E, nil, d.v + (n + t) * E, E, rows.count, E)
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
        awm.recall(context, q: d.aq, y: d.recalled, stash: f.memory, scratch: scratch)
        mixGated(context, f, d)
    }

    func rotate(_ context: SliceContext, _ x: UnsafeMutablePointer<Float>, direction: Float) {
        if c.ropeHeads == 0 { return }
        let (Z, dz) = (c.zDim, c.keyDim)
        let plan = context.plan
        plan.cosines.withUnsafeBufferPointer { cosines in
            plan.sines.withUnsafeBufferPointer { sines in
                let cosine = cosines.baseAddress!
                let sine = sines.baseAddress!
                context.team.share(plan.length) { _, rows in
                    let t = rows.lowerBound
                    context.kernels.rotate(
                        x + t * Z, Z, cosine + t * dz, sine + t * dz, direction, rows.count, dz, c.ropeHeads)
                }
            }
        }
    }
}
