import Schedules

extension TimelineSVG {
    /// Where everything goes, in pixels.
    struct Geometry {
        static let margin = 18.0
        static let idleColour = Colour(0xF0F2F5)
        static let idleFill = idleColour.hex
        private static let mostRows = 256
        static let shadeText = "dark: a rank's first stage, light: its last"
        private static let legendLine = 20.0

        let width = 1200.0
        let height: Double
        let plotLeft: Double
        let plotWidth: Double
        let rowHeight: Double
        /// Every so many-th rank has a row.
        let every: Int
        let labelEvery: Int
        let legend: [(content: Timeline.Content, x: Double, y: Double)]
        let idleLegend: (x: Double, y: Double)
        /// Where the shades are explained, if ranks hold several stages.
        let shadeNote: (x: Double, y: Double)?
        /// Seconds at the left end of the axis.
        let origin: Double
        /// Seconds that the axis covers.
        let length: Double
        private let plotTop: Double
        private let rowPitch: Double
        private let showsSlices: Bool

        /// - Parameter roomForMessages: whether lines between rows need space.
        init(_ timeline: Timeline, legend contents: [Timeline.Content], roomForMessages: Bool) {
            let extent = timeline.extent
            origin = extent.start
            length = max(extent.end - extent.start, TimeScale.shortest)
            every = max(1, (timeline.ranks + Self.mostRows - 1) / Self.mostRows)
            let rows = (timeline.ranks + every - 1) / every
            rowHeight =
                switch rows {
                case ...16: 26
                case ...32: 18
                case ...64: 12
                default: 6
                }
            rowPitch = rowHeight + (roomForMessages ? 16 : rows <= 64 ? 4 : 1)
            labelEvery = rowPitch >= 14 ? 1 : Int((14 / rowPitch).rounded(.up))
            plotLeft = Self.margin + "rank \(timeline.ranks - 1)".reduce(8) { $0 + Self.advance($1, size: 11) }
            plotWidth = width - plotLeft - Self.margin - 6
            showsSlices = timeline.spans.contains {
                if case .action(let action) = $0.content { action.slice > 0 } else { false }
            }
            var (x, y) = (Self.margin, 70.0)
            let right = width - Self.margin
            func place(_ title: String) -> (x: Double, y: Double) {
                let advance = 17 + title.reduce(18) { $0 + Self.advance($1, size: 12) }
                if x + advance > right { (x, y) = (Self.margin, y + Self.legendLine) }
                defer { x += advance }
                return (x, y)
            }
            let places = contents.map { place(Palette.title($0)) }
            legend = zip(contents, places).map { ($0, $1.x, $1.y) }
            idleLegend = place("idle")
            shadeNote = Shading(timeline).showsStages ? place(Self.shadeText) : nil
            plotTop = y + 16
            height = plotTop + Double(rows) * rowPitch + 46
        }

        func x(_ seconds: Double) -> Double { plotLeft + (seconds - origin) / length * plotWidth }

        func rowTop(_ rank: Int) -> Double { plotTop + Double(rank / every) * rowPitch }

        func shows(_ rank: Int) -> Bool { rank % every == 0 }

        /// The text that fits into a cell `width` pixels wide, and its size.
        func label(_ content: Timeline.Content, width: Double) -> (text: String, size: Double)? {
            guard rowHeight >= 12 else { return nil }
            let texts =
                switch content {
                case .action(let action):
                    showsSlices ? ["\(action.sequence).\(action.slice)"] : ["\(action.sequence)"]
                case .label(let label): [label]
                }
            for size in [11.0, 9.5, 8] where size <= rowHeight - 3 {
                for text in texts where text.reduce(0, { $0 + Self.advance($1, size: size) }) + 3 <= width {
                    return (text, size)
                }
            }
            return nil
        }

        /// About how wide a character is in a sans-serif face; on the wide side, so that nothing is cut.
        private static func advance(_ character: Character, size: Double) -> Double {
            switch character {
            case ".", ",", "i", "l", " ", "t": size * 0.34
            case "m", "w": size * 0.85
            default: size * 0.6
            }
        }
    }

    /// Tints that tell neighbouring sequences, or the stages of a rank, apart.
    struct Shading {
        private let stagesByRank: [[Int]]
        private let positionOfStage: [Int: Int]

        init(_ timeline: Timeline) {
            var stages = [Set<Int>](repeating: [], count: timeline.ranks)
            for span in timeline.spans {
                if case .action(let action) = span.content { stages[span.rank].insert(action.stage) }
            }
            stagesByRank = stages.map { $0.sorted() }
            var positions: [Int: Int] = [:]
            for stages in stagesByRank {
                for (position, stage) in stages.enumerated() { positions[stage] = position }
            }
            positionOfStage = positions
        }

        private var most: Int { stagesByRank.reduce(1) { max($0, $1.count) } }

        /// Whether shades tell stages apart rather than sequences.
        var showsStages: Bool { most > 1 }

        func colour(_ content: Timeline.Content) -> Colour {
            let base = Palette.colour(content)
            guard case .action(let action) = content else { return base }
            if showsStages {
                let position = Double(positionOfStage[action.stage] ?? 0) / Double(most - 1)
                return base.mixed(with: Colour(0x000000), share: 0.22 * (1 - position))
                    .mixed(with: Colour(0xFFFFFF), share: 0.38 * position)
            }
            return action.sequence % 2 == 0 ? base : base.mixed(with: Colour(0xFFFFFF), share: 0.22)
        }
    }
}
