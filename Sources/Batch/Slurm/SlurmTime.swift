/// Times as Slurm writes them: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes,
/// days-hours:minutes:seconds.
package enum SlurmTime {
    /// Nil for anything else, and for UNLIMITED.
    package static func seconds(_ text: String) -> Int? {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        let parts = halves[halves.count - 1].split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0, digits: 6) }
        guard numbers.count == parts.count, (1...3).contains(numbers.count) else { return nil }
        if halves.count == 2 {
            guard let days = number(halves[0], digits: 4) else { return nil }
            let units = [3600, 60, 1]
            return days * 86400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
        }
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        default: return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        }
    }

    private static func number(_ text: Substring, digits: Int) -> Int? {
        (1...digits).contains(text.count) && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }
}
