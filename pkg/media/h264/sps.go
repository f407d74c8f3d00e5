package h264

import (
	"errors"
	"fmt"

	"oxymoq/pkg/media/nal"
)

const (
	// MaxSide is the largest width or height in pixels; containers have 16 bits for it.
	MaxSide = 1<<16 - 1
	// maxOffsets is the largest num_ref_frames_in_pic_order_cnt_cycle (section 7.4.2.1.1).
	maxOffsets = 255
	// maxCPB is the largest number of coded picture buffers in HRD parameters (section E.2.2).
	maxCPB = 32
)

// SPS is what a sequence parameter set says of the pictures (ISO/IEC 14496-10
// section 7.3.2.1.1).
type SPS struct {
	Profile, Constraints, Level byte
	ID                          int  // seq_parameter_set_id, 0 to 31
	ChromaFormat                byte // chroma_format_idc
	BitDepthLuma                int
	BitDepthChroma              int
	Width, Height               int // in pixels, after cropping
	// Interlaced says that pictures may be fields.
	Interlaced bool
	// FrameRate is in pictures a second, 0 if the SPS does not say it.
	FrameRate float64
	// ReorderFrames is how many pictures may come before one that is shown
	// earlier, num_reorder_frames; -1 if the SPS does not say it.
	ReorderFrames int
}

// ParseSPS reads the NAL unit of a sequence parameter set.
func ParseSPS(unit []byte) (*SPS, error) {
	if len(unit) == 0 || UnitType(unit) != TypeSPS {
		return nil, errors.New("SPS: the NAL unit is of another type")
	}
	r := nal.NewBits(nal.Unescape(unit[1:]))
	s := parseSPS(r)
	if r.Err() != nil {
		return nil, fmt.Errorf("SPS: %w", r.Err())
	}
	return s, nil
}

func parseSPS(r *nal.Bits) *SPS {
	s := &SPS{ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8, ReorderFrames: -1}
	s.Profile, s.Constraints, s.Level = byte(r.U(8)), byte(r.U(8)), byte(r.U(8))
	id := r.UE()
	if id > 31 {
		r.Fail(fmt.Errorf("id %d is above 31", id))
	}
	s.ID = int(id)
	separatePlanes := false
	if hasChroma(s.Profile) {
		separatePlanes = s.parseChroma(r)
	}
	r.UE() // log2_max_frame_num_minus4
	skipOrderCount(r)
	r.UE()                                              // max_num_ref_frames
	r.Flag()                                            // gaps_in_frame_num_value_allowed_flag
	width, height := uint64(r.UE())+1, uint64(r.UE())+1 // in macroblocks; in map units
	fieldRows := uint64(1)
	if s.Interlaced = !r.Flag(); s.Interlaced { // frame_mbs_only_flag
		fieldRows = 2
		r.Flag() // mb_adaptive_frame_field_flag
	}
	r.Flag() // direct_8x8_inference_flag
	width, height = width*16, height*16*fieldRows
	if r.Flag() { // frame_cropping_flag
		// Offsets count in samples of the sparsest plane (table 6-1, section 7.4.2.1.1).
		unitX, unitY := uint64(1), fieldRows
		if !separatePlanes && (s.ChromaFormat == 1 || s.ChromaFormat == 2) {
			unitX = 2
		}
		if !separatePlanes && s.ChromaFormat == 1 {
			unitY *= 2
		}
		cropX := (uint64(r.UE()) + uint64(r.UE())) * unitX
		cropY := (uint64(r.UE()) + uint64(r.UE())) * unitY
		if cropX >= width || cropY >= height {
			r.Fail(errors.New("nothing is left after cropping"))
			return s
		}
		width, height = width-cropX, height-cropY
	}
	if width > MaxSide || height > MaxSide {
		r.Fail(fmt.Errorf("a picture of %dx%d is larger than %d", width, height, MaxSide))
		return s
	}
	s.Width, s.Height = int(width), int(height)
	if r.Flag() { // vui_parameters_present_flag
		s.parseVUI(*r)
	}
	return s
}

// hasChroma reports whether the SPS of a profile says its chroma format
// (section 7.3.2.1.1).
func hasChroma(profile byte) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// parseChroma reads from chroma_format_idc to the scaling lists and returns
// separate_colour_plane_flag.
func (s *SPS) parseChroma(r *nal.Bits) (separate bool) {
	format := r.UE()
	if format > 3 {
		r.Fail(fmt.Errorf("chroma_format_idc %d does not exist", format))
	}
	s.ChromaFormat = byte(format)
	if format == 3 {
		separate = r.Flag()
	}
	luma, chroma := r.UE(), r.UE()
	if luma > 6 || chroma > 6 {
		r.Fail(errors.New("more than 14 bits a sample"))
	}
	s.BitDepthLuma, s.BitDepthChroma = 8+int(luma), 8+int(chroma)
	r.Flag()       // qpprime_y_zero_transform_bypass_flag
	if !r.Flag() { // seq_scaling_matrix_present_flag
		return separate
	}
	lists := 8
	if format == 3 {
		lists = 12
	}
	for i := range lists {
		if !r.Flag() { // seq_scaling_list_present_flag
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + r.SE()%256 + 256) % 256
			}
			if next != 0 {
				last = next
			}
		}
	}
	return separate
}

// skipOrderCount reads from pic_order_cnt_type to the offsets of reference frames.
func skipOrderCount(r *nal.Bits) {
	switch kind := r.UE(); kind {
	case 0:
		r.UE() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		r.Flag() // delta_pic_order_always_zero_flag
		r.SE()   // offset_for_non_ref_pic
		r.SE()   // offset_for_top_to_bottom_field
		n := r.UE()
		if n > maxOffsets {
			r.Fail(fmt.Errorf("%d offsets of reference frames are more than %d", n, maxOffsets))
		}
		for i := uint32(0); i < n && r.Err() == nil; i++ {
			r.SE()
		}
	case 2:
	default:
		r.Fail(fmt.Errorf("pic_order_cnt_type %d does not exist", kind))
	}
}

// parseVUI reads the video usability information (section E.1.1). Nothing
// decodes by it, so that one which cannot be read leaves its facts unknown.
func (s *SPS) parseVUI(r nal.Bits) {
	if r.Flag() { // aspect_ratio_info_present_flag
		if r.U(8) == 255 { // Extended_SAR
			r.U(32)
		}
	}
	if r.Flag() { // overscan_info_present_flag
		r.Flag()
	}
	if r.Flag() { // video_signal_type_present_flag
		r.U(4)        // video_format, video_full_range_flag
		if r.Flag() { // colour_description_present_flag
			r.U(24)
		}
	}
	if r.Flag() { // chroma_loc_info_present_flag
		r.UE()
		r.UE()
	}
	if r.Flag() { // timing_info_present_flag
		tick, scale := r.U(32), r.U(32)
		r.Flag() // fixed_frame_rate_flag
		if r.Err() == nil && tick > 0 {
			s.FrameRate = float64(scale) / (2 * float64(tick)) // two fields a picture
		}
	}
	nalHRD := r.Flag()
	if nalHRD {
		skipHRD(&r)
	}
	vclHRD := r.Flag()
	if vclHRD {
		skipHRD(&r)
	}
	if nalHRD || vclHRD {
		r.Flag() // low_delay_hrd_flag
	}
	r.Flag()      // pic_struct_present_flag
	if r.Flag() { // bitstream_restriction_flag
		r.Flag()      // motion_vectors_over_pic_boundaries_flag
		for range 4 { // from max_bytes_per_pic_denom to log2_max_mv_length_vertical
			r.UE()
		}
		if reorder := r.UE(); r.Err() == nil && reorder <= 16 {
			s.ReorderFrames = int(reorder)
		}
	}
}

// skipHRD reads HRD parameters (section E.1.2).
func skipHRD(r *nal.Bits) {
	n := r.UE() // cpb_cnt_minus1
	if n >= maxCPB {
		r.Fail(fmt.Errorf("more than %d coded picture buffers", maxCPB))
		return
	}
	r.U(8) // bit_rate_scale, cpb_size_scale
	for range n + 1 {
		r.UE()
		r.UE()
		r.Flag()
	}
	r.U(20)
}
