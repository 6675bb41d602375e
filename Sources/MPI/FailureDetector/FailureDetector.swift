/// How a rank that waits in vain learns what the others are doing: it asks all of them, and whoever is alive answers
/// between kernels and while it waits itself. Then it tells those that answered what it found, so that each of them
/// speaks up before the job ends.
///
/// Open MPI 4.1 reports no dead peers: without this, a rank that waits for one waits for ever.
final class FailureDetector {
    /// Its messages are text on MPI's control channel, apart from the run's messages; the kind is their tag.
    private enum Kind: Int {
        case question, answer, verdict, reported
    }

    /// What another rank found that waited in vain.
    struct Verdict {
        let from: Int
        let text: String
    }

    /// Seconds to wait for answers: longer than any kernel.
    private static let longest = 5.0

    private var messages = ControlMessages()
    private var answers: [Int: String] = [:]
    private(set) var verdict: Verdict?
    private var reported: Set<Int> = []
    /// The ranks that this rank told its verdict; nil when it made no call.
    private var told: [Int]?

    /// Reads what has come, and answers questions with `activity`, the end of a sentence.
    func attend(_ world: MPIWorld, _ activity: () -> String) throws {
        while let (source, tag, bytes) = try world.probe(.control) {
            let text = try ControlMessages.receive(bytes: bytes, from: source, tag: tag, world)
            switch Kind(rawValue: tag) {
            case .question: try messages.send(activity(), to: source, tag: Kind.answer.rawValue, world)
            case .answer: answers[source] = text
            case .verdict: verdict = verdict ?? Verdict(from: source, text: text)
            case .reported: reported.insert(source)
            case nil: preconditionFailure("rank \(world.rank): no control message has tag \(tag)")
            }
        }
        try messages.clear(world)
    }

    /// Asks all ranks and tells those that answer. What they say, as sentences: the silent first, then `first`, then
    /// the others.
    func call(_ world: MPIWorld, first: Int?, activity: () -> String) throws -> String {
        let others = (0..<world.size).filter { $0 != world.rank }
        answers = [:]
        for peer in others { try messages.send("", to: peer, tag: Kind.question.rawValue, world) }
        _ = try world.poll(atMost: min(Self.longest, world.patience)) {
            try attend(world, activity)
            return answers.count == others.count
        }
        let text = FailureDetectorText(answers: answers, others: others, first: first, hosts: world.hosts).description
        let alive = answers.keys.sorted()
        told = alive
        for peer in alive {
            try messages.send("rank \(world.rank) \(activity()). \(text)", to: peer, tag: Kind.verdict.rawValue, world)
        }
        return text
    }

    /// Says that this rank has reported, and stays until those that it told have done so too, or the time is up: the
    /// first to leave ends them all.
    func farewell(_ world: MPIWorld) {
        // What fails here has been told already, in the error that led here.
        try? {
            for peer in 0..<world.size where peer != world.rank {
                try messages.send("", to: peer, tag: Kind.reported.rawValue, world)
            }
            // A rank that was told leaves the end to the one that told it.
            _ = try world.poll(atMost: told == nil ? 2 * Self.longest : Self.longest) {
                try attend(world) { "has given up" }
                return told.map { reported.isSuperset(of: $0) } ?? false
            }
        }()
    }
}
