/// What a rank does in a step beside its row of the table; a timeline's labels for it.
public enum StepPhase: String, CaseIterable, Sendable {
    /// Clears gradients, takes the batch, posts the first receives; before the row. The others come after it.
    case begin
    /// Waits for the sum of the gradients over the replicas.
    case sync
    /// Brings both gradients of a tied embedding together.
    case tied
    /// Computes the global gradient norm, which all ranks wait for.
    case norm
    case optimizer
    /// Brings parameters from the replica that updates them to the others.
    case share
}
