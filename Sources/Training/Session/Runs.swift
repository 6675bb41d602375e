/// Numbers of which many are equal, in a line that stays short however many there are: "2+2", "3x4+1x3".
struct Runs {
    private let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    /// Numbers that are written one by one.
    private static let mostListed = 16
    private static let mostRuns = 6

    var text: String {
        guard numbers.count > Self.mostListed, let least = numbers.min(), let most = numbers.max() else {
            return numbers.map(String.init).joined(separator: "+")
        }
        var runs: [(count: Int, number: Int)] = []
        for number in numbers {
            if let last = runs.last, last.number == number {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((1, number))
            }
        }
        guard runs.count <= Self.mostRuns else { return "\(numbers.count) of \(least) to \(most)" }
        return runs.map { "\($0.count)x\($0.number)" }.joined(separator: "+")
    }
}
