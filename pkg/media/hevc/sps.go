package hevc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"oxymoq/pkg/media/nal"
)

const (
	// MaxSide is the largest width or height in pixels; containers have 16 bits for it.
	MaxSide = 1<<16 - 1
	// maxRefSets is the largest number of short-term reference picture sets (section 7.4.3.2.1).
	maxRefSets = 64
	// maxRefs is the largest number of pictures in one of them (sps_max_dec_pic_buffering_minus1).
	maxRefs = 16
	// maxLongRefs is the largest num_long_term_ref_pics_sps (section 7.4.3.2.1).
	maxLongRefs = 32
)

// SPS is what a sequence parameter set says of the pictures (ISO/IEC 23008-2
// section 7.3.2.2).
type SPS struct {
	Profile        Profile
	ID             int // sps_seq_parameter_set_id, 0 to 15
	TemporalLayers byte
	TemporalNested bool
	ChromaFormat   byte // chroma_format_idc
	BitDepthLuma   int
	BitDepthChroma int
	Width, Height  int // in pixels, within the conformance window
	// FrameRate is in pictures a second, 0 if the SPS does not say it.
	FrameRate float64
	// ReorderFrames is how many pictures may come before one that is shown
	// earlier, sps_max_num_reorder_pics of all layers.
	ReorderFrames int
}

// ParseSPS reads the NAL unit of a sequence parameter set.
func ParseSPS(unit []byte) (*SPS, error) {
	if UnitType(unit) != TypeSPS {
		return nil, errors.New("SPS: the NAL unit is of another type")
	}
	r := &bitReader{b: nal.Unescape(unit[headerLen:])}
	s, orderBits := parseSPS(r)
	if r.err != nil {
		return nil, fmt.Errorf("SPS: %w", r.err)
	}
	s.FrameRate = frameRate(*r, orderBits)
	return s, nil
}

// parseSPS reads up to the sizes of buffers, and returns how many bits the order
// of a picture has.
func parseSPS(r *bitReader) (s *SPS, orderBits int) {
	s = &SPS{}
	r.u(4) // sps_video_parameter_set_id
	layers := r.u(3) + 1
	if layers > 7 {
		r.fail(errors.New("more than 7 temporal layers"))
	}
	s.TemporalLayers, s.TemporalNested = byte(layers), r.flag()
	s.Profile = parseProfile(r, int(layers))
	id := r.ue()
	if id > 15 {
		r.fail(fmt.Errorf("id %d is above 15", id))
	}
	format := r.ue()
	if format > 3 {
		r.fail(fmt.Errorf("chroma_format_idc %d does not exist", format))
	}
	s.ID, s.ChromaFormat = int(id), byte(format)
	separatePlanes := format == 3 && r.flag()
	width, height := uint64(r.ue()), uint64(r.ue())
	if r.flag() { // conformance_window_flag
		// Offsets count in samples of the sparsest plane (table 6-1).
		unitX, unitY := uint64(1), uint64(1)
		if !separatePlanes && (format == 1 || format == 2) {
			unitX = 2
		}
		if !separatePlanes && format == 1 {
			unitY = 2
		}
		cropX := (uint64(r.ue()) + uint64(r.ue())) * unitX
		cropY := (uint64(r.ue()) + uint64(r.ue())) * unitY
		width, height = width-min(cropX, width), height-min(cropY, height)
	}
	if r.err == nil && (width == 0 || height == 0 || width > MaxSide || height > MaxSide) {
		r.fail(fmt.Errorf("a picture of %dx%d is not from 1x1 to %dx%d", width, height, MaxSide, MaxSide))
	}
	luma, chroma := r.ue(), r.ue()
	if luma > 7 || chroma > 7 { // what a record can say; the text has 8, which no profile allows
		r.fail(errors.New("more than 15 bits a sample"))
	}
	s.Width, s.Height = int(width), int(height)
	s.BitDepthLuma, s.BitDepthChroma = 8+int(luma), 8+int(chroma)
	order := r.ue() // log2_max_pic_order_cnt_lsb_minus4
	if order > 12 {
		r.fail(errors.New("an order of pictures of more than 16 bits"))
	}
	if !r.flag() { // sps_sub_layer_ordering_info_present_flag
		layers = 1 // which speaks for all
	}
	for range layers {
		r.ue()            // sps_max_dec_pic_buffering_minus1
		reorder := r.ue() // the last is that of all layers
		r.ue()            // sps_max_latency_increase_plus1
		if reorder > maxRefs {
			r.fail(fmt.Errorf("%d pictures in another order are more than %d", reorder, maxRefs))
		}
		s.ReorderFrames = int(reorder)
	}
	return s, int(order) + 4
}

// parseProfile reads profile_tier_level (section 7.3.3).
func parseProfile(r *bitReader, layers int) Profile {
	p := Profile{Space: byte(r.u(2)), High: r.flag(), ID: byte(r.u(5)), Compatibility: r.u(32)}
	p.Constraints = uint64(r.u(16))<<32 | uint64(r.u(32))
	p.Level = byte(r.u(8))
	if layers <= 1 {
		return p
	}
	var profiles, levels [7]bool
	for i := range layers - 1 {
		profiles[i], levels[i] = r.flag(), r.flag()
	}
	for range 8 - (layers - 1) {
		r.u(2)
	}
	for i := range layers - 1 {
		if profiles[i] {
			r.skip(88)
		}
		if levels[i] {
			r.u(8)
		}
	}
	return p
}

// frameRate reads an SPS from behind the sizes of buffers to the timing in its VUI
// (section E.2.1). Nothing decodes by it, so that one which cannot be read leaves
// the rate unknown.
func frameRate(r bitReader, orderBits int) float64 {
	for range 6 { // from log2_min_luma_coding_block_size_minus3 to max_transform_hierarchy_depth_intra
		r.ue()
	}
	if r.flag() { // scaling_list_enabled_flag
		skipScaling(&r)
	}
	r.u(2)        // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if r.flag() { // pcm_enabled_flag
		r.u(8)
		r.ue()
		r.ue()
		r.flag()
	}
	if !skipRefSets(&r) {
		return 0
	}
	if r.flag() { // long_term_ref_pics_present_flag
		n := r.ue()
		if n > maxLongRefs {
			return 0
		}
		r.skip(int(n) * (orderBits + 1))
	}
	r.u(2)         // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	if !r.flag() { // vui_parameters_present_flag
		return 0
	}
	if r.flag() && r.u(8) == 255 { // aspect_ratio_info_present_flag, EXTENDED_SAR
		r.u(32)
	}
	if r.flag() { // overscan_info_present_flag
		r.flag()
	}
	if r.flag() { // video_signal_type_present_flag
		r.u(4)
		if r.flag() { // colour_description_present_flag
			r.u(24)
		}
	}
	if r.flag() { // chroma_loc_info_present_flag
		r.ue()
		r.ue()
	}
	r.u(3)        // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
	if r.flag() { // default_display_window_flag
		for range 4 {
			r.ue()
		}
	}
	if !r.flag() { // vui_timing_info_present_flag
		return 0
	}
	tick, scale := r.u(32), r.u(32)
	if r.err != nil || tick == 0 {
		return 0
	}
	return float64(scale) / float64(tick)
}

// skipScaling reads scaling_list_data (section 7.3.4), if it is there.
func skipScaling(r *bitReader) {
	if !r.flag() { // sps_scaling_list_data_present_flag
		return
	}
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6 && r.err == nil; matrix += step {
			if !r.flag() { // scaling_list_pred_mode_flag
				r.ue()
				continue
			}
			if size > 1 {
				r.ue() // scaling_list_dc_coef_minus8
			}
			for range min(64, 1<<(4+2*size)) {
				r.ue()
			}
		}
	}
}

// skipRefSets reads the short-term reference picture sets (section 7.3.7) and
// reports whether it could. How long one is can depend on the one before it.
func skipRefSets(r *bitReader) bool {
	n := r.ue()
	if n > maxRefSets {
		return false
	}
	var last []int64 // distances to the pictures of the set before, as their flags come
	for i := range n {
		var set []int64
		if i > 0 && r.flag() { // inter_ref_pic_set_prediction_flag
			negative := r.flag()
			delta := int64(r.ue()) + 1
			if negative {
				delta = -delta
			}
			for _, d := range append(last, 0) {
				used := r.flag()         // used_by_curr_pic_flag
				kept := used || r.flag() // use_delta_flag
				if d += delta; kept && d != 0 {
					set = append(set, d)
				}
			}
			slices.SortFunc(set, byDistance)
		} else {
			before, after := r.ue(), r.ue()
			if before > maxRefs || after > maxRefs-before {
				return false
			}
			for j, at := uint32(0), int64(0); j < before+after; j++ {
				if j == before {
					at = 0
				}
				step := int64(r.ue()) + 1
				r.flag() // used_by_curr_pic_s0_flag, used_by_curr_pic_s1_flag
				if j < before {
					step = -step
				}
				at += step
				set = append(set, at)
			}
		}
		if r.err != nil || len(set) > maxRefs {
			return false
		}
		last = set
	}
	return true
}

// byDistance orders pictures as the sets do: those before, then those after,
// the nearest first.
func byDistance(a, b int64) int {
	if a < 0 && b < 0 {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
