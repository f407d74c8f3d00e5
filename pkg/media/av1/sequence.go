package av1

import "fmt"

// Constants of the colour description (section 6.4.2).
const (
	primariesBT709  = 1
	primariesUnsaid = 2
	transferUnsaid  = 2
	transferSRGB    = 13
	matrixIdentity  = 0
	matrixUnsaid    = 2
)

// Sequence is what a sequence header says of the pictures (section 5.5).
type Sequence struct {
	Profile        byte // 0 to 2
	Level          byte // of the first operating point, 0 to 31
	HighTier       bool
	BitDepth       int // 8, 10 or 12
	Monochrome     bool
	SubsamplingX   bool
	SubsamplingY   bool
	SamplePosition byte // chroma_sample_position, 0 to 3
	Width, Height  int  // the largest, in pixels; at most 65536
	// FrameRate is in pictures a second, 0 if the header does not say it.
	FrameRate float64

	reducedStill bool
	payload      []byte
}

// ParseSequence reads the payload of a sequence header OBU.
func ParseSequence(b []byte) (*Sequence, error) {
	r := &bitReader{b: b}
	s := &Sequence{payload: b}
	s.parse(r)
	if r.err != nil {
		return nil, fmt.Errorf("sequence header: %w", r.err)
	}
	return s, nil
}

func (s *Sequence) parse(r *bitReader) {
	s.Profile = byte(r.u(3))
	if s.Profile > 2 {
		r.err = fmt.Errorf("profile %d does not exist", s.Profile)
		return
	}
	r.flag() // still_picture
	if s.reducedStill = r.flag(); s.reducedStill {
		s.Level = byte(r.u(5))
	} else {
		s.parseOperation(r)
	}
	widthBits, heightBits := int(r.u(4))+1, int(r.u(4))+1
	s.Width, s.Height = int(r.u(widthBits))+1, int(r.u(heightBits))+1
	if !s.reducedStill && r.flag() { // frame_id_numbers_present_flag
		r.u(7)
	}
	r.u(3) // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
	if !s.reducedStill {
		skipTools(r)
	}
	r.u(3) // enable_superres, enable_cdef, enable_restoration
	s.parseColor(r)
	r.flag() // film_grain_params_present
}

// parseOperation reads timing and operating points.
func (s *Sequence) parseOperation(r *bitReader) {
	delayBits := 0 // of the decoder model, 0 if there is none
	if r.flag() {  // timing_info_present_flag
		tick, scale := r.u(32), r.u(32)
		if r.flag() { // equal_picture_interval
			if ticks := (float64(r.uvlc()) + 1) * float64(tick); r.err == nil && ticks > 0 {
				s.FrameRate = float64(scale) / ticks
			}
		}
		if r.flag() { // decoder_model_info_present_flag
			delayBits = int(r.u(5)) + 1
			r.u(32) // num_units_in_decoding_tick
			r.u(10) // the sizes of two more fields
		}
	}
	displayDelay := r.flag()    // initial_display_delay_present_flag
	for i := range r.u(5) + 1 { // operating points
		r.u(12) // operating_point_idc
		level, high := byte(r.u(5)), false
		if level > 7 {
			high = r.flag()
		}
		if i == 0 {
			s.Level, s.HighTier = level, high
		}
		if delayBits > 0 && r.flag() { // decoder_model_present_for_this_op
			r.u(delayBits)
			r.u(delayBits)
			r.flag()
		}
		if displayDelay && r.flag() {
			r.u(4)
		}
	}
}

// skipTools reads from enable_interintra_compound to order_hint_bits_minus_1.
func skipTools(r *bitReader) {
	r.u(4) // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
	orderHint := r.flag()
	if orderHint {
		r.u(2) // enable_jnt_comp, enable_ref_frame_mvs
	}
	screen := true // seq_choose_screen_content_tools
	if !r.flag() {
		screen = r.flag() // seq_force_screen_content_tools
	}
	if screen && !r.flag() { // seq_choose_integer_mv
		r.flag() // seq_force_integer_mv
	}
	if orderHint {
		r.u(3)
	}
}

// parseColor reads color_config (section 5.5.2).
func (s *Sequence) parseColor(r *bitReader) {
	s.BitDepth = 8
	if r.flag() { // high_bitdepth
		s.BitDepth = 10
		if s.Profile == 2 && r.flag() { // twelve_bit
			s.BitDepth = 12
		}
	}
	s.Monochrome = s.Profile != 1 && r.flag()
	primaries, transfer, matrix := uint32(primariesUnsaid), uint32(transferUnsaid), uint32(matrixUnsaid)
	if r.flag() { // color_description_present_flag
		primaries, transfer, matrix = r.u(8), r.u(8), r.u(8)
	}
	switch {
	case s.Monochrome:
		r.flag() // color_range
		s.SubsamplingX, s.SubsamplingY = true, true
		return
	case primaries == primariesBT709 && transfer == transferSRGB && matrix == matrixIdentity:
	default:
		r.flag() // color_range
		switch {
		case s.Profile == 0:
			s.SubsamplingX, s.SubsamplingY = true, true
		case s.Profile == 2 && s.BitDepth == 12:
			s.SubsamplingX = r.flag()
			s.SubsamplingY = s.SubsamplingX && r.flag()
		case s.Profile == 2:
			s.SubsamplingX = true
		}
		if s.SubsamplingX && s.SubsamplingY {
			s.SamplePosition = byte(r.u(2))
		}
	}
	r.flag() // separate_uv_delta_q
}
