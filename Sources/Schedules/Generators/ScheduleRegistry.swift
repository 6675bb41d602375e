/// The schedules that can be made from their numbers alone. To add one, write its file and add a line here.
public enum ScheduleRegistry {
    /// Every schedule that has a name, in the order of lists.
    public static let all: [ScheduleGenerator] = [
        .allForwardAllBackward,
        .oneForwardOneBackward,
        .interleaved,
        .zeroBubbleH1,
        .zeroBubbleH2,
        .zeroBubbleV,
        .memoryCapped,
    ]

    /// - Throws: `ScheduleError` that lists the names if there is none like `name`.
    public static func generator(named name: String) throws -> ScheduleGenerator {
        guard let generator = all.first(where: { $0.name == name }) else {
            throw ScheduleError.unsupported(
                "there is no schedule '\(name)'; expected one of " + all.map(\.name).joined(separator: ", "))
        }
        return generator
    }
}
