/// Costs, a network or a request that a simulation cannot run on; the text says what was expected and found.
public struct SimulationError: Error, Equatable, CustomStringConvertible {
    /// What was expected, what was found, and where.
    public let description: String

    /// An error with this text.
    public init(_ description: String) { self.description = description }
}
