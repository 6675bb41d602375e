import Schedules

/// A timeline in columns of text: a line a rank, time from left to right. Of very many ranks every so many-th is drawn.
public struct TerminalDrawing {
    private let timeline: Timeline
    private let columns: Int
    private let colours: Bool

    /// - Parameters:
    ///   - columns: width of the terminal
    ///   - colours: whether cells get ANSI colours
    public init(_ timeline: Timeline, columns: Int = 110, colours: Bool = false) {
        self.timeline = timeline
        self.columns = max(columns, 40)
        self.colours = colours
    }

    private static let mostRows = 128

    /// Lines for a terminal.
    public var text: String {
        guard timeline.spans.isEmpty || timeline.spans.contains(where: { $0.duration > 0 }) else {
            return "nothing takes time: there is nothing to draw\n"
        }
        let every = max(1, (timeline.ranks + Self.mostRows - 1) / Self.mostRows)
        let head = "rank \(timeline.ranks - 1) ".count
        let width = columns - head
        let (origin, end) = timeline.extent
        let length = max(end - origin, TimeScale.shortest)
        var byRank = [[Timeline.Span]](repeating: [], count: timeline.ranks)
        for span in timeline.spans where span.lane == 0 && span.duration > 0 && span.rank % every == 0 {
            byRank[span.rank].append(span)
        }
        var text = ""
        for rank in stride(from: 0, to: timeline.ranks, by: every) {
            let name = "rank \(rank)"
            text += name + String(repeating: " ", count: head - name.count)
            text += line(byRank[rank].sorted { $0.start < $1.start }, width: width, origin: origin, length: length)
            text += "\n"
        }
        text += String(repeating: " ", count: head) + axis(width: width, length: length) + "\n"
        let contents = ActionKind.allCases.filter { kind in
            timeline.spans.contains { if case .action(let action) = $0.content { action.kind == kind } else { false } }
        }
        let labels = Set(timeline.spans.compactMap { if case .label(let label) = $0.content { label } else { nil } })
        text += String(repeating: " ", count: head)
        text +=
            (contents.map { "\($0.code) \($0.title)" } + labels.sorted().map { "\($0.prefix(1)) \($0)" } + [
                "\u{b7} idle"
            ])
            .joined(separator: "   ")
        if every > 1 { text += "   (every \(every)th of \(timeline.ranks) ranks)" }
        return text + "\n"
    }

    /// One row: each cell begins with its code and, where there is room, has its sequence and slice.
    private func line(_ spans: [Timeline.Span], width: Int, origin: Double, length: Double) -> String {
        func column(_ seconds: Double) -> Int {
            min(width, Int(((seconds - origin) / length * Double(width)).rounded()))
        }
        var line = ""
        var next = 0
        for span in spans {
            let (start, end) = (max(next, column(span.start)), column(span.end))
            guard end > start else { continue }
            line += String(repeating: "\u{b7}", count: start - next)
            line += cell(span.content, width: end - start)
            next = end
        }
        return line + String(repeating: "\u{b7}", count: width - next)
    }

    private func cell(_ content: Timeline.Content, width: Int) -> String {
        let candidates: [String]
        switch content {
        case .action(let action):
            let code = action.kind.code
            candidates = [
                "\(code)\(action.sequence).\(action.slice)", "\(code)\(action.sequence)", code, String(code.prefix(1)),
            ]
        case .label(let label): candidates = [label, String(label.prefix(1))]
        }
        // A cell that its text would fill to the end would run into the next one.
        let label = candidates.first { $0.count < width } ?? candidates[candidates.count - 1]
        let filler = width > 1 ? "\u{2500}" : ""
        let text = label + String(repeating: filler, count: max(0, width - label.count))
        guard colours else { return text }
        let colour = Palette.colour(content)
        let ink = colour.isLight ? "30" : "97"
        return "\u{1b}[\(ink);48;2;\(colour.red);\(colour.green);\(colour.blue)m\(text)\u{1b}[0m"
    }

    private func axis(width: Int, length: Double) -> String {
        let scale = TimeScale(length: length, ticks: max(2, width / 14))
        var axis = [Character](repeating: " ", count: width)
        for tick in scale.ticks {
            let column = Int((tick.seconds / length * Double(width)).rounded())
            let text = Array("\u{2575}" + tick.text + (tick.seconds == 0 ? " \(scale.symbol)" : ""))
            guard column + text.count <= width else { continue }
            axis.replaceSubrange(column..<column + text.count, with: text)
        }
        return String(axis)
    }
}
