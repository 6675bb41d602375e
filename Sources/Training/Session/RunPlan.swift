import Pipeline

/// What a configuration comes to: what every rank must know before it starts.
package protocol RunPlan: Sendable {
    var configuration: RunConfiguration { get }
    var pipeline: PipelinePlan { get }

    /// - Parameter configuration: validated.
    init(_ configuration: RunConfiguration) throws

    /// What must be the same wherever a rank looks at its node's files.
    func outline() throws -> String
}

extension RunPlan {
    package func outline() throws -> String { "nothing" }
}

extension TrainingPlan: RunPlan {
    package func outline() throws -> String { try CorpusFingerprint(corpus).text }
}
