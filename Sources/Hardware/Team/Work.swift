/// What cores spend their time on, as far as a breakdown tells it apart.
package enum Work: Int, CaseIterable, Sendable {
    case gemm, attention, ema, norms, memory, elementwise, optimizer, communication, waiting
}

/// The part of a training step in which time is spent; `update` is all that lies outside the schedule's table:
/// clearing, sync, norm, AdamW.
package enum StepPart: Int, CaseIterable, Sendable {
    case forward, backward, recompute, update
}
